"""One package from plan to result: restored from a store on a cache hit, else built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from quard.base.errors import QuardError
from quard.base.files import remove_tree
from quard.base.record import Record, record
from quard.execute import checkpoint, dependencies, kept, sources, staged, taken
from quard.execute.builder import Build, StepFailed
from quard.execute.inputs import BuildInputs
from quard.execute.job import Job
from quard.execute.machine import BuildMachine
from quard.execute.place import JobPlace, ResultPlace
from quard.execute.restore import Outcome, finish, lookup, restore
from quard.execute.sources import Archives
from quard.execute.workers import Facts, Workers
from quard.ledger.basis import key
from quard.ledger.stored import Stored, keep
from quard.plan.plan import Plan
from quard.plan.source import TOP
from quard.process.sandbox import Work
from quard.sources.fetch import Fetcher
from quard.sources.trees import Entry
from quard.store.stores import Stores
from quard.tools.origins import grouped

_WORTH_A_LOOK = (
    "patch-failed",
    "license-file-missing",
    "step-without-effect",
    "unknown-build-option",
)
"""Reasons to keep the work folder, besides a failed step."""


def _is_open(build: Build) -> bool:
    """Return whether a build saw more than what its key has.

    The build machine's own headers and libraries are in no key; those of pinned tools are.
    """
    sandbox = build.sandbox
    return sandbox.mode == "none" or (build.plan.native and not sandbox.system.is_pinned)


def _made(job: Job, archives: Archives) -> dict[str, Any]:
    """Return what the result is made from."""
    return job.basis(archives[TOP].sha256 if TOP in archives else "")


@record
class _Claimed(Record):
    """A work folder as a build finds it.

    base     -- hash over what may not change while the folder is reused, see kept.base
    compiled -- the same for a folder in which nothing was installed yet, see checkpoint.base
    tree     -- the files of local folders that it was last built from; None where the build starts
                from nothing
    log      -- log of the compilation that the build resumes after; None where it compiles
    """

    base: str
    compiled: str
    tree: Mapping[str, Entry] | None
    log: bytes | None

    @property
    def is_used(self) -> bool:
        """Whether the build continues an earlier one."""
        return self.tree is not None or self.log is not None


class Packager:
    """Makes packages. Several threads may use it at once for different packages."""

    def __init__(
        self,
        stores: Stores,
        fetcher: Fetcher,
        machine: BuildMachine,
        workers: Workers | None = None,
    ) -> None:
        self._stores = stores
        self._fetcher = fetcher
        self._machine = machine
        self._workers = workers

    def bases(self, job: Job, place: JobPlace) -> tuple[str, ...]:
        """Return hashes over what must not change if a build is to continue in a job's folder.

        One for each archive that may have been unpacked there.
        """
        return tuple(self._base(job.basis(one), place) for one in job.plan.archives)

    def build(
        self, plan: Plan, work: Path, log: IO[bytes], shown: str, report: Callable[[str], None]
    ) -> Build:
        """Return the build of a plan, not yet started. `shown` is the log's name in messages."""
        return Build(plan, self._machine, Work(work), log, shown, report)

    def prepare(
        self, job: Job, place: JobPlace, build: Build, report: Callable[[str], None]
    ) -> str:
        """Fill a job's folder as its build does, up to and including patches.

        Returns the folder's hash, one of `bases`.
        """
        archives = sources.fetch(self._fetcher, job, place, report)
        build.prepare(self._inputs(job, place, archives, None))
        return self._base(_made(job, archives), place)

    def lookup(self, plan: Plan, now: Mapping[str, Any]) -> Iterator[Stored]:
        """Yield the results that the stores have for a package, see restore.lookup."""
        self._machine.stop.check()
        return lookup(self._stores, plan, now)

    def restore(
        self, plan: Plan, now: Mapping[str, Any], place: ResultPlace, results: Iterable[Stored]
    ) -> Outcome | None:
        """Write a package's result files from the stores, see restore.restore."""
        if (found := restore(self._stores, plan, now, place, results)) and not plan.keeps:
            remove_tree(place.work)  # left by a failed or killed build
        return found

    def produce(
        self,
        job: Job,
        place: JobPlace,
        report: Callable[[str], None],
        running: Callable[[bool], AbstractContextManager[bool]],
        *,
        force: bool = False,
    ) -> Outcome:
        """Build a package and write its results.

        report  -- called with the name of each phase
        running -- context around the build: holds the job token, or gives True and holds a slot of
                   the workers, which it may if it is called with True
        force   -- build from scratch
        Raises QuardError for every failure; no incomplete result is left.
        """
        self._machine.stop.check()
        archives = sources.fetch(self._fetcher, job, place, report)
        made = _made(job, archives)

        def here() -> Facts:
            with kept.marking(place.work, self._base(made, place)):
                return self._build(job, place, archives, made, report, force=force)

        # Without an archive there is nothing to compile. What continues an earlier build here, and
        # local folders, stay on this machine.
        compiles = TOP in archives and not (place.tree or place.folders)
        leaves = bool(self._workers and compiles and (force or not kept.concerns(place.work)))
        with running(leaves) as elsewhere:
            record = None if elsewhere else here()
            if compiles and elsewhere:
                record = self._elsewhere(job, place, archives, report, force=force)
        if record is None:
            with running(False):
                record = here()
        record |= sources.record(archives)
        found = Stored(key(made), made, record)
        keep(self._stores, place.results.name, found)
        return finish(job.plan, job.now, place, found, "built")

    def _elsewhere(
        self,
        job: Job,
        place: JobPlace,
        archives: Archives,
        report: Callable[[str], None],
        *,
        force: bool,
    ) -> Facts | None:
        """Have a package built by a worker; return its record, or None if it is built here."""
        self._machine.stop.check()
        assert self._workers is not None
        tools = self._machine.system(job.plan), self._machine.toolchain(job.plan).prefix
        record = self._workers.build(job, place, archives, tools, report, fresh=force)
        if record and not job.plan.keeps:
            remove_tree(place.work)  # left by a failed or killed build
        return record

    def _base(self, made: Mapping[str, Any], place: JobPlace) -> str:
        return kept.base(made, None if self._machine.mode == "bwrap" else place.work)

    def _build(
        self,
        job: Job,
        place: JobPlace,
        archives: Archives,
        made: Mapping[str, Any],
        report: Callable[[str], None],
        *,
        force: bool,
    ) -> dict[str, Any]:
        found = self._claim(job, place, made, force=force)
        place.work.mkdir(parents=True, exist_ok=True)
        place.log.parent.mkdir(parents=True, exist_ok=True)
        with place.log.open("w+b") as log:
            log.write(found.log or b"")
            build = self.build(job.plan, place.work, log, place.shown, report)
            work = Work(place.work)
            inputs = replace(
                self._inputs(job, place, archives, found.tree),
                compiled=found.log is not None,
                made=lambda: checkpoint.note(work, job.plan, found.compiled, place.log),
            )
            self._execute(place, build, inputs, found.base)
            report("split")
            # Other checkouts could not know what such a result was made from.
            foreign = bool(job.plan.tree) and not place.is_own
            local = foreign or found.is_used or _is_open(build)
            record = staged.keep(build, job, place, self._stores, self._origins, local=local)
        self._leave(job, place, found.base)
        return record

    def _origins(self, build: Build) -> Facts:
        """Return the part of a record that says which packages of the tools have its files."""
        plan, system = build.plan, build.sandbox.system
        if not plan.taken:
            return {}
        files = taken.files(plan, build.work.stage, build.toolchain, system)
        if not files:
            return {}
        return {"origins": grouped(files, self._machine.origins(plan, files.values()))}

    def _claim(
        self, job: Job, place: JobPlace, made: Mapping[str, Any], *, force: bool
    ) -> _Claimed:
        """Take a job's work folder over, with what an earlier build has left of use."""
        plan = job.plan
        seen = None if self._machine.mode == "bwrap" else place.work
        base, compiled = kept.base(made, seen), checkpoint.base(made, plan, seen)
        log = None if force else checkpoint.restore(Work(place.work), compiled)
        tree = kept.claim(place.work, base)
        if force or not plan.keeps or log is not None:
            tree = None
        if log is None:
            checkpoint.forget(place.work)
        return _Claimed(base, compiled, tree, log)

    def _execute(self, place: JobPlace, build: Build, inputs: BuildInputs, base: str) -> None:
        """Run the steps; after a failure, keep what the next build or a person can use."""
        try:
            self._run(build, inputs)
        except QuardError as error:
            if build.orderly and build.plan.keeps:
                kept.keep(place.work, base, place.entries)
            if isinstance(error, StepFailed) or error.reason in _WORTH_A_LOOK:
                raise  # the work folder stays, so that a user can inspect it
            if checkpoint.noted(place.work) and error.reason != "disk-full":
                raise
            remove_tree(place.work)
            raise

    def _leave(self, job: Job, place: JobPlace, base: str) -> None:
        """Keep the work folder for the next build, or remove it."""
        if not job.plan.keeps:
            remove_tree(place.work)
            return
        work = Work(place.work)
        for folder in (work.stage, work.root / "debug"):
            remove_tree(folder)
        kept.keep(place.work, base, place.entries)

    def _run(self, build: Build, inputs: BuildInputs) -> None:
        """Build in the incremental build directory if there is one; if that fails, from scratch."""
        try:
            build.run(inputs)
        except QuardError:
            if inputs.kept is None or not build.lost:
                raise
            build.run(replace(inputs, kept=None))

    def _inputs(
        self,
        job: Job,
        place: JobPlace,
        archives: Archives,
        tree: Mapping[str, Entry] | None,
    ) -> BuildInputs:
        return BuildInputs(
            archives={into: archive.path for into, archive in archives.items()},
            upstream=TOP in archives and archives[TOP].sha256 == job.plan.sources[0],
            tree=place.tree,
            folders=place.folders,
            kept=tree,
            read=place.read,
            lay_out=lambda work: dependencies.lay_out(
                job, place, work, self._machine.toolchain(job.plan), self._stores
            ),
            compiled=False,
            made=lambda: None,
        )
