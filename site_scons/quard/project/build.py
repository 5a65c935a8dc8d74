"""One board's units on this machine: their results, and making each unit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from quard.boards.native import NAME as BUILD
from quard.ledger import why
from quard.ledger.basis import key
from quard.ledger.ledger import Ledger
from quard.ledger.results import write_result
from quard.ledger.summary import Built
from quard.ledger.why import Difference
from quard.plan.packages import package_units
from quard.plan.plan import Plan
from quard.plan.resolved import Resolved
from quard.plan.source import expected_size
from quard.plan.unit import Unit, parted
from quard.project.images import Images
from quard.project.rooted import naming, naming_files
from quard.project.workspace import Workspace

if TYPE_CHECKING:
    from quard.execute.job import Job
    from quard.execute.place import JobPlace, ResultPlace
    from quard.execute.restore import Outcome
    from quard.project.followers import Followers
    from quard.target import ElfAbi


class BoardBuild:
    """Makes the units of one board; several threads may use it at once.

    roots    -- by name, with the packages for the build machine as one of their own (plan.unit)
    packages -- the units of the packages, by id, in build order
    check    -- called with each package that was made; raises QuardError. None: nothing is checked
    urgency  -- unit id -> which unit is next of those that wait for a job slot
    """

    def __init__(self, workspace: Workspace, roots: Mapping[str, Resolved]) -> None:
        self.workspace = workspace
        self.roots = roots
        self._units = package_units(roots)
        self.urgency: Mapping[str, float] = {}
        self.check: Callable[[Unit], None] | None = None
        self.packages = self._units.units
        self.ledger = Ledger(
            workspace.outputs.folder,
            workspace.out / "images",
            self.packages,
            workspace.host.stores,
            workspace.host,
        )

    @cached_property
    def images(self) -> Images:
        """The board's images; their units are added to the ledger."""
        found = Images(self.workspace, self._made, self._units)
        self.ledger.units.update(found.units)
        return found

    @cached_property
    def _made(self) -> dict[str, Resolved]:
        """The roots of which file systems are made; the board's own comes first."""
        return {root: resolved for root, resolved in self.roots.items() if root != BUILD}

    @cached_property
    def _followers(self) -> Followers:
        from quard.project.followers import Followers  # noqa: PLC0415 - a null build has none

        return Followers(self.workspace.host.slots)

    @property
    def resolved(self) -> Resolved:
        """The packages of the board's own root."""
        return self.roots[""]

    def package(self, name: str) -> Unit:
        """Return the unit of a package, named NAME or ROOT/NAME."""
        return self._units.unit(*parted(name))

    def closure(self, names: Iterable[str]) -> tuple[Unit, ...]:
        """Return these packages and all that they need, in build order."""
        wanted: set[str] = set()
        asked = [*map(parted, names)]
        for folder, resolved in self.roots.items():
            own = [name for root, name in asked if root == folder]
            wanted |= {self._units.ids[folder, name] for name in resolved.graph.closure(own)}
        return self._with_inputs(wanted)

    def _with_inputs(self, ids: Iterable[str]) -> tuple[Unit, ...]:
        """Return these packages and all that goes into them, in build order."""
        wanted = set(ids)
        for unit in reversed(tuple(self.packages.values())):
            if unit.id in wanted:
                wanted.update(each.unit for each in unit.inputs)
        return tuple(unit for unit in self.packages.values() if unit.id in wanted)

    @property
    def image(self) -> tuple[Unit, ...]:
        """The packages of all images and those for the build machine, in build order."""
        return self._with_inputs(
            self._units.ids[folder, name]
            for folder, resolved in self._made.items()
            for name in resolved.image
        )

    @cached_property
    def forced(self) -> frozenset[str]:
        """The ids of the packages that are built even if nothing changed."""
        return frozenset(self.package(name).id for name in self.workspace.host.site.force)

    def reasons(
        self, unit: Unit, before: Mapping[str, Any] | None, now: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """Return why a unit is made, see why.reasons."""
        updates = partial(self.workspace.host.tooling.updates, unit)
        places = self.workspace.board_files(unit) if unit.is_package else None
        return why.reasons(before, now, self._difference(unit), updates, places)

    def _difference(self, unit: Unit) -> Difference:
        """Return the function that compares interfaces of a unit's inputs."""
        names = {each.name.partition(":")[0]: self.ledger.units[each.unit] for each in unit.inputs}

        def found(name: str, before: str, now: str) -> Sequence[str]:
            shown = names[name].name if name in names else name
            return self.workspace.outputs.difference(shown, before, now)

        return found

    def make(self, unit: Unit) -> None:
        """Restore or build one unit. Raises QuardError."""
        try:
            with naming(unit.folder):
                if unit.is_package:
                    with naming_files(self.workspace.board_files(unit)):
                        self._produce(unit)
                    if self.check:
                        self.check(unit)
                else:
                    self._make_image(unit)
        finally:
            self.ledger.made(unit)

    def _make_image(self, unit: Unit) -> None:
        made, workspace = self.ledger.basis(unit), self.workspace
        console, last = workspace.console, self.ledger.result(unit)
        urgency, arrived = self.urgency.get(unit.id, 0.0), self._followers.arrival(unit)
        with (
            workspace.host.slots.held(urgency, arrived=arrived),
            console.image(unit.name) if unit.inputs else nullcontext(),
        ):
            parts = self.images.make(unit, made["inputs"])
            # With one job, SCons starts the next unit only when another one has ended.
            if workspace.host.site.jobs > 1 and not (last and last.parts == parts):
                self._followers.announce(unit, self.images.units, self.urgency)
        listings = self.images.listings(unit)
        write_result(self.ledger.results(unit), key(made), made, parts, listings)
        workspace.summary.add_image(unit.name)

    def source_size(self, unit: Unit) -> int:
        """Return the size of a package's archives in bytes; 0 if the recipe does not give it."""
        return expected_size(self.roots[unit.folder].packages[unit.package].recipe)

    def _produce(self, unit: Unit) -> None:
        workspace, name = self.workspace, unit.name
        started = time.monotonic()
        waited: list[float] = []
        outcome = self._obtain(unit, waited.append)
        version = self.plan(name).version
        if outcome.how == "restored":
            workspace.tell_restored(name, version, outcome.key)
            return
        seconds = time.monotonic() - started - sum(waited)
        reasons = self.reasons(unit, outcome.before, outcome.now)
        reasons = reasons or (why.FORCED if unit.id in self.forced else (why.MISSING,))
        worker = outcome.worker
        workspace.summary.add_built(Built(name, seconds, reasons, worker))
        text = f"built by {worker} in {seconds:.1f} s" if worker else f"built in {seconds:.1f} s"
        workspace.console.done(name, version, text, "worker" if worker else "built", worker)

    def _obtain(self, unit: Unit, waited: Callable[[float], None]) -> Outcome:
        """Restore or build a package; `waited` is called with the seconds spent on waiting.

        Its source is fetched before it takes a job slot.
        """
        workspace, name = self.workspace, unit.name
        host, plan, force = workspace.host, self.plan(name), unit.id in self.forced
        with ExitStack() as coming, ExitStack() as reading:
            coming.enter_context(host.slots.coming(self.urgency.get(unit.id, 0.0)))
            reading.enter_context(host.reading)
            with workspace.console.package(name, plan.version) as report:
                packager = host.packager
                if not force:
                    now, place = self.ledger.basis(unit), self.result_place(name)
                    if found := packager.restore(plan, now, place, packager.lookup(plan, now)):
                        return found
                job = self.job(name)
                reading.close()
                turn = partial(self._turn, unit, report, coming.close, waited)
                return packager.produce(job, self.place(name), report, turn, force=force)

    @contextmanager
    def _turn(
        self,
        unit: Unit,
        report: Callable[[str], None],
        arrived: Callable[[], None],
        waited: Callable[[float], None],
        leaves: bool,
    ) -> Iterator[bool]:
        from quard.face.activity import KEEP, WAIT  # noqa: PLC0415

        asked, urgency = time.monotonic(), self.urgency.get(unit.id, 0.0)
        waits = partial(report, WAIT)
        with self.workspace.host.slots.held(urgency, waits, arrived, leaves=leaves) as elsewhere:
            waited(time.monotonic() - asked)
            try:
                yield elsewhere
            finally:
                report(KEEP)

    def plan(self, name: str) -> Plan:
        """Return the plan of a package, named NAME or ROOT/NAME."""
        root, package = parted(name)
        return self.roots[root].plans[package]

    def needs(self, name: str) -> tuple[Unit, ...]:
        """Return the units that a package, named NAME or ROOT/NAME, needs."""
        return tuple(self.ledger.units[each.unit] for each in self.package(name).inputs)

    def job(self, name: str) -> Job:
        """Return the job for a package, named NAME or ROOT/NAME.

        Raises LostResult, QuardError changed-while-building.
        """
        from quard.execute.job import Job  # noqa: PLC0415

        plan, unit = self.plan(name), self.package(name)
        now, outputs = self.ledger.basis(unit), self.workspace.outputs
        dev, native = {}, {}
        for each, need in zip(unit.inputs, self.needs(name), strict=True):
            digest = now["inputs"][each.name]
            if need.native:
                native[f"{need.package}:{each.part}"] = digest
            else:
                dev[need.package] = outputs.dev(need.name, digest)
        return Job(plan=plan, now=now, abi=self._abi(name), dev=dev, native=native)

    def _abi(self, name: str) -> ElfAbi:
        return self.roots[parted(name)[0]].root.configuration.target.elf

    def result_place(self, name: str, kind: str = "work") -> ResultPlace:
        """Return where the result of a package, named NAME or ROOT/NAME, is written.

        kind -- the folder to work in: work for a build; only a build writes the package's own log
        """
        from quard.execute.place import ResultPlace  # noqa: PLC0415

        workspace, unit, bare = self.workspace, self.package(name), parted(name)[1]
        local = workspace.local_trees
        # Equal packages of two roots are built in one folder, and edited in one for each.
        inner, suffix = (unit.name, "") if kind == "work" else (name, f"-{kind}")
        return ResultPlace(
            tree=local.listing(bare) if self.plan(name).tree else None,
            folders=local.folders(bare),
            results=self.ledger.results(unit),
            work=workspace.out / kind / inner,
            log=workspace.out / f"logs/{inner}{suffix}.log",
        )

    def place(self, name: str, kind: str = "work") -> JobPlace:
        """Return where the job of a package, named NAME or ROOT/NAME, is done on this machine.

        kind -- see `result_place`
        """
        from quard.execute.place import JobPlace  # noqa: PLC0415

        workspace, needs = self.workspace, self.needs(name)
        root, bare = parted(name)
        package, own = self.roots[root].packages[bare], self.result_place(name, kind)
        files = package.places()
        for inner, file in workspace.fragments[root].of(bare).items():
            files[inner] = workspace.trees.path(file)
        return JobPlace(
            **vars(own),
            requests=workspace.requests(package),
            is_own=workspace.local_trees.is_own(bare),
            files=files,
            needs={found.package: found.name for found in needs if not found.native},
            natives={found.package: found.name for found in needs if found.native},
            shown=f"out/{workspace.board.name}/{own.log.relative_to(workspace.out)}",
        )
