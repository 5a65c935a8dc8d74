"""One package from plan to result: restored from a store on a cache hit, else built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import remove_tree
from quard.execute import checkpoint, dependencies, kept, staged
from quard.execute.builder import Build, BuildMachine, StepFailed
from quard.execute.inputs import BuildInputs
from quard.ledger.basis import acceptable, as_before, key
from quard.ledger.results import (
    Results,
    made_from,
    put,
    read_record,
    write_result,
)
from quard.plan.plan import Plan
from quard.plan.source import Request
from quard.plan.unit import TARGET_PARTS
from quard.process.sandbox import Work
from quard.sources.archives import Fetched
from quard.sources.fetch import Fetcher
from quard.sources.trees import Entry, Listing
from quard.store.stores import Stores

_WORTH_A_LOOK = ("patch-failed", "license-file-missing", "step-without-effect")
"""Reasons to keep the work folder, besides a failed step."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One package to make.

    request -- its archive; None if it has none or a local tree replaces it
    tree    -- that local tree
    patches -- paths in the plan's order
    files   -- name -> path of the plan's files
    needs   -- the results of every package in the plan's needs and links
    now     -- what the result would be made from, with the first archive (ledger.basis)
    log     -- path of the log; `shown` is its name in messages
    """

    plan: Plan
    request: Request | None
    tree: Listing | None
    patches: tuple[Path, ...]
    files: Mapping[str, Path]
    needs: Mapping[str, Results]
    now: Mapping[str, Any]
    results: Results
    work: Path
    log: Path
    shown: str


@dataclass(frozen=True)
class Outcome:
    """How a package was obtained: built here or restored from the store.

    before -- what its last result here was made from; None if there was none
    now    -- what it is made from now, but with that result's archive if it is still accepted
    """

    how: Literal["built", "restored"]
    before: Mapping[str, Any] | None
    now: Mapping[str, Any]


@dataclass(frozen=True)
class _Claimed:
    """A work folder as a build finds it.

    base     -- hash over what may not change while the folder is reused, see kept.base
    compiled -- the same for a folder in which nothing was installed yet, see checkpoint.base
    tree     -- the local tree that it was last built from; None where the build starts from nothing
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

    def __init__(self, stores: Stores, fetcher: Fetcher, machine: BuildMachine) -> None:
        self._stores = stores
        self._fetcher = fetcher
        self._machine = machine

    def bases(self, job: Job) -> tuple[str, ...]:
        """Return hashes over what must not change if a build is to continue in a job's folder.

        One for each archive that may have been unpacked there.
        """
        return tuple(self._base(job, {**job.now, "archive": one}) for one in job.plan.archives)

    def build(self, job: Job, log: IO[bytes], report: Callable[[str], None]) -> Build:
        """Return the build of a job, not yet started."""
        return Build(job.plan, self._machine, Work(job.work), log, job.shown, report)

    def prepare(self, job: Job, build: Build, report: Callable[[str], None]) -> str:
        """Fill a job's folder as its build does, up to and including patches.

        Returns the folder's hash, one of `bases`.
        """
        archive = self._archive(job, report)
        build.prepare(self._inputs(job, archive, None))
        return self._base(job, {**job.now, "archive": archive.sha256 if archive else ""})

    def produce(
        self,
        job: Job,
        report: Callable[[str], None],
        running: Callable[[], AbstractContextManager[None]],
        *,
        force: bool = False,
    ) -> Outcome:
        """Write the results of one package.

        report  -- called with the name of each phase
        running -- context around a real build: holds the job token
        force   -- build even on a cache hit
        Raises QuardError for every failure; no incomplete result is left.
        """
        self._machine.stop.check()
        archives = job.plan.archives
        now = job.now
        before = made_from(job.results)
        made, record = (now, None) if force else self._known(job)
        how: Literal["built", "restored"] = "restored"
        if record is None:
            archive = self._archive(job, report)
            made = {**now, "archive": archive.sha256 if archive else ""}
            with running(), kept.marking(job.work, self._base(job, made)):
                record = self._build(job, archive, made, report, force=force)
            self._stores.keep(key(made), record)
            how = "built"
        elif not job.plan.keeps:
            remove_tree(job.work)  # left by a failed or killed build
        _write_results(job, record, made)
        return Outcome(how, before, as_before(now, before, archives))

    def _archive(self, job: Job, report: Callable[[str], None]) -> Fetched | None:
        """Return the first accepted archive that is available."""
        if job.request is None:
            return None
        report("fetch")
        return self._fetcher.fetch(job.request)

    def _base(self, job: Job, now: Mapping[str, Any]) -> str:
        return kept.base(now, None if self._machine.mode == "bwrap" else job.work)

    def _known(self, job: Job) -> tuple[Mapping[str, Any], dict[str, Any] | None]:
        """Look up a job's inputs in the stores: the basis that matches, and its record."""
        for made in acceptable(job.now, job.plan.archives):
            found = self._stores.record(key(made))
            if found and self._restore_log(job, made, found):
                return made, found
        return job.now, None

    def _restore_log(self, job: Job, made: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
        """Restore the log of a result in the store; return False if it is lost."""
        log = record["blobs"]["log"]
        if self._stores.copy(log, job.log):
            return True
        self._stores.tell(self._stores.lost(key(made), job.plan.name, "log", log))
        return False

    def _build(
        self,
        job: Job,
        archive: Fetched | None,
        made: Mapping[str, Any],
        report: Callable[[str], None],
        *,
        force: bool,
    ) -> dict[str, Any]:
        found = self._claim(job, made, force=force)
        job.work.mkdir(parents=True, exist_ok=True)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("w+b") as log:
            log.write(found.log or b"")
            build = self.build(job, log, report)
            inputs = replace(
                self._inputs(job, archive, found.tree),
                compiled=found.log is not None,
                made=lambda: checkpoint.note(Work(job.work), job.plan, found.compiled, job.log),
            )
            self._execute(job, build, inputs, found.base)
            report("split")
            # Other checkouts could not know what such a result was made from.
            local = bool(job.plan.tree) or found.is_used or build.sandbox.mode == "none"
            store = self._stores.home(local=local)
            record = staged.keep(build, self._machine.toolchain, store, log.name, local=local)
            if archive:
                # No address: the same bytes have others in other recipes and at other times.
                record["archive"] = {"file": archive.path.name, "sha256": archive.sha256}
        self._leave(job, found.base)
        return record

    def _claim(self, job: Job, made: Mapping[str, Any], *, force: bool) -> _Claimed:
        """Take a job's work folder over, with what an earlier build has left of use."""
        plan = job.plan
        place = None if self._machine.mode == "bwrap" else job.work
        base, compiled = kept.base(made, place), checkpoint.base(made, plan, place)
        log = None if force else checkpoint.restore(Work(job.work), compiled)
        tree = kept.claim(job.work, base)
        if force or not plan.keeps or log is not None:
            tree = None
        if log is None:
            checkpoint.forget(job.work)
        return _Claimed(base, compiled, tree, log)

    def _execute(self, job: Job, build: Build, inputs: BuildInputs, base: str) -> None:
        """Run the steps; after a failure, keep what the next build or a person can use."""
        try:
            self._run(build, inputs)
        except QuardError as error:
            if build.orderly and job.plan.keeps:
                kept.keep(job.work, base, job.tree.entries if job.tree else {})
            if isinstance(error, StepFailed) or error.reason in _WORTH_A_LOOK:
                raise  # the work folder stays, for whoever looks into the failure
            if checkpoint.noted(job.work) and error.reason != "disk-full":
                raise
            remove_tree(job.work)
            raise

    def _leave(self, job: Job, base: str) -> None:
        """Keep the work folder for the next build, or remove it."""
        if not job.plan.keeps:
            remove_tree(job.work)
            return
        work = Work(job.work)
        for folder in (work.stage, work.root / "debug"):
            remove_tree(folder)
        kept.keep(job.work, base, job.tree.entries if job.tree else {})

    def _run(self, build: Build, inputs: BuildInputs) -> None:
        """Build in the incremental build directory if there is one; if that fails, from scratch."""
        try:
            build.run(inputs)
        except QuardError:
            if inputs.kept is None or not build.lost:
                raise
            build.run(replace(inputs, kept=None))

    def _inputs(
        self, job: Job, archive: Fetched | None, tree: Mapping[str, Entry] | None
    ) -> BuildInputs:
        return BuildInputs(
            archive=archive.path if archive else None,
            upstream=archive is not None and archive.sha256 == job.plan.sources[0],
            tree=job.tree,
            kept=tree,
            patches=job.patches,
            files=job.files,
            lay_out=lambda folder: dependencies.lay_out(
                job.plan, job.needs, folder, self._machine.toolchain, self._stores
            ),
            compiled=False,
            made=lambda: None,
        )


def _write_results(job: Job, record: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    """Write the result files, the result itself last; `made` is its basis."""
    results, blobs, found = job.results, record["blobs"], record["interface"]
    results.record.parent.mkdir(parents=True, exist_ok=True)
    _keep_earlier(results, found)
    put(results.record, canonical.readable(record))
    parts = {"interface": canonical.digest(found), **{part: blobs[part] for part in TARGET_PARTS}}
    if job.plan.deploys:
        parts["deploy"] = blobs["deploy"]
    write_result(results, made, parts)


def _keep_earlier(results: Results, found: Mapping[str, Any]) -> None:
    """Keep the interface that is about to be replaced, so that dependants can report changes.

    SCons removes the result files before it makes them; the last record stays.
    """
    old = read_record(results).get("interface")
    if isinstance(old, dict) and old != found:
        put(
            results.earlier,
            canonical.readable({"digest": canonical.digest(old), "interface": old}),
        )
