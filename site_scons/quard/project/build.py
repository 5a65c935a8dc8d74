"""One board's units on this machine: their results, and making each unit."""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from quard.ledger import why
from quard.ledger.ledger import Ledger
from quard.ledger.results import write_result
from quard.plan.board import package_units
from quard.plan.resolve import Resolved
from quard.plan.unit import Unit, package_id
from quard.project.images import Images
from quard.project.workshop import Workshop

if TYPE_CHECKING:
    from quard.execute.package import Job


class BoardBuild:
    """Makes the units of one board; several threads may use it at once.

    packages -- the units of the packages, by id, in build order
    """

    def __init__(self, workshop: Workshop, resolved: Resolved) -> None:
        self.workshop = workshop
        self.resolved = resolved
        self.packages = package_units(resolved)
        self.ledger = Ledger(
            workshop.outputs.folder,
            workshop.out / "images",
            self.packages,
            workshop.stores,
            workshop,
        )

    @cached_property
    def images(self) -> Images:
        """The board's images; their units are added to the ledger."""
        found = Images(self.workshop, self.resolved)
        self.ledger.units.update(found.units)
        return found

    def package(self, name: str) -> Unit:
        """Return the unit of a package."""
        return self.packages[package_id(name, self.resolved.root.configuration.name)]

    def make(self, unit: Unit) -> None:
        """Restore or build one unit. Raises QuardError."""
        try:
            if unit.is_package:
                self._produce(unit)
            else:
                self._make_image(unit)
        finally:
            self.ledger.made(unit)

    def _make_image(self, unit: Unit) -> None:
        made, console = self.ledger.basis(unit), self.workshop.console
        with console.image(unit.name) if unit.inputs else nullcontext():
            parts = self.images.make(unit)
        write_result(self.ledger.results(unit), made, parts, self.images.listings(unit))
        self.workshop.summary.add_image(unit.name)

    def _produce(self, unit: Unit) -> None:
        workshop, name = self.workshop, unit.name
        force = name in workshop.site.force
        version = self.resolved.plans[name].version
        started = time.monotonic()
        with workshop.console.package(name, version) as report:
            job = self.job(name)
            outcome = workshop.packager.produce(job, report, workshop.token, force=force)
        if outcome.how == "restored":
            workshop.summary.add_restored(name)
            workshop.console.done(name, version, "from the store")
            return
        seconds = time.monotonic() - started
        reasons = why.reasons(outcome.before, outcome.now, workshop.outputs.difference)
        reasons = reasons or (why.FORCED if force else (why.MISSING,))
        workshop.summary.add_built(name, seconds, reasons)
        workshop.console.done(name, version, f"built in {seconds:.1f} s")

    def job(self, name: str, place: str = "work") -> Job:
        """Return the job for a package.

        place -- the kind of folder to work in: work for a build; only a build writes the
                 package's own log
        """
        from quard.execute.package import Job  # noqa: PLC0415

        workshop, unit = self.workshop, self.package(name)
        package, plan = self.resolved.packages[name], self.resolved.plans[name]
        tree = workshop.tree(name)
        paths = {path.name: path for path in package.folder.iterdir()}
        for inner, path in workshop.fragments.of(name).items():
            paths[inner] = workshop.project / path
        log = f"{name}.log" if place == "work" else f"{name}-{place}.log"
        return Job(
            plan=plan,
            request=None if tree else workshop.request(package),
            tree=tree,
            patches=tuple(paths[reference.name] for reference in plan.patches),
            files={reference.name: paths[reference.name] for reference in plan.files},
            needs={need: workshop.outputs.results(need) for need in (*plan.needs, *plan.links)},
            now=self.ledger.basis(unit),
            results=self.ledger.results(unit),
            work=workshop.out / place / name,
            log=workshop.out / "logs" / log,
            shown=f"out/{workshop.board.name}/logs/{log}",
        )
