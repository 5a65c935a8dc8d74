"""One package from plan to result: out of the store where it is known, else built and kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import remove_tree, replacing
from quard.execute import checkpoint, dependencies, kept, staged
from quard.execute.builder import Build, BuildMachine, StepFailed
from quard.execute.inputs import BuildInputs
from quard.ledger.results import UNSEALED, Results, acceptable, as_before, depends, made_from, read
from quard.plan.plan import Plan
from quard.plan.source import Request
from quard.process.sandbox import Work
from quard.sources.archives import Fetched
from quard.sources.fetch import Fetcher
from quard.sources.trees import Entry, Listing
from quard.store.local import Store

_WORTH_A_LOOK = ("patch-failed", "license-file-missing", "step-without-effect")
"""Reasons for which the work folder stays, beside a step that failed."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One package to be had.

    request -- its archive; None where it has none or a local tree takes its place
    tree    -- that local tree
    patches -- paths in the plan's order
    files   -- name -> path of the plan's files
    needs   -- the results of every package of the plan's needs and links
    log     -- where the log goes; `shown` is its name in messages
    """

    plan: Plan
    request: Request | None
    tree: Listing | None
    patches: tuple[Path, ...]
    files: Mapping[str, Path]
    needs: Mapping[str, Results]
    results: Results
    work: Path
    log: Path
    shown: str


@dataclass(frozen=True)
class Outcome:
    """How a package was obtained: built here, or taken from the store.

    before -- what its last result here was made from; None where there was none
    now    -- what it is made from now, but with that result's archive where it is still accepted
    """

    how: Literal["built", "restored"]
    before: Mapping[str, Any] | None
    now: Mapping[str, Any]


class Packager:
    """Makes packages. Safe to be used by several threads at once for different packages."""

    def __init__(self, store: Store, local: Store, fetcher: Fetcher, machine: BuildMachine) -> None:
        self._store = store
        self._local = local
        self._fetcher = fetcher
        self._machine = machine

    def _depends(self, job: Job, archive: str) -> dict[str, Any]:
        """Return everything that the result depends on, as the dependencies' results are now."""
        return depends(
            job.plan,
            self._machine.toolchain.fingerprint,
            archive=archive,
            sealed=self._machine.mode == "bwrap",
            interfaces={n: read(found.interface, "digest") for n, found in job.needs.items()},
        )

    def bases(self, job: Job) -> tuple[str, ...]:
        """Return hashes over what may not change while a job's folder is gone on with.

        One for each archive that may have been unpacked there.
        """
        return tuple(self._base(job, self._depends(job, one)) for one in job.plan.archives)

    def build(self, job: Job, log: IO[bytes], report: Callable[[str], None]) -> Build:
        """Return the build of a job, of which nothing has been done."""
        return Build(job.plan, self._machine, Work(job.work), log, job.shown, report)

    def prepare(self, job: Job, build: Build, report: Callable[[str], None]) -> str:
        """Fill a job's folder as its build does, up to and including the patches.

        Returns the folder's hash, one of `bases`.
        """
        archive = self._archive(job, report)
        build.prepare(self._inputs(job, archive, None))
        return self._base(job, self._depends(job, archive.sha256 if archive else ""))

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
        running -- opened around a real build: holds the job token
        force   -- build even what the store knows
        Raises QuardError for all that can fail; nothing half-made stays behind.
        """
        self._machine.stop.check()
        archives = job.plan.archives
        now = self._depends(job, archives[0])
        before = made_from(job.results)
        made, record = (now, None) if force else self._known(now, archives)
        how: Literal["built", "restored"] = "restored"
        if record is None:
            archive = self._archive(job, report)
            made = {**now, "archive": archive.sha256 if archive else ""}
            with running(), kept.marking(job.work, self._base(job, made)):
                record = self._build(job, archive, made, report, force=force)
            self._of(record).put_result(canonical.digest(made), record)
            how = "built"
        else:
            _log(self._of(record), record, job.log)
            if not job.plan.keeps:
                remove_tree(job.work)  # what a failed or killed build of it left
        _write_results(job, record, made)
        return Outcome(how, before, as_before(now, before, archives))

    def _archive(self, job: Job, report: Callable[[str], None]) -> Fetched | None:
        """Return the first of the accepted archives that is available."""
        if job.request is None:
            return None
        report("fetch")
        return self._fetcher.fetch(job.request)

    def _base(self, job: Job, now: Mapping[str, Any]) -> str:
        return kept.base(now, None if self._machine.mode == "bwrap" else job.work)

    def _known(
        self, now: Mapping[str, Any], archives: Sequence[str]
    ) -> tuple[Mapping[str, Any], dict[str, Any] | None]:
        """Return what one of the stores has for a job's inputs, and what that was made from."""
        for made in acceptable(now, archives):
            key = canonical.digest(made)
            if found := self._store.result(key) or self._local.result(key):
                return made, found
        return now, None

    def _of(self, record: Mapping[str, Any]) -> Store:
        """Return the store that has a record's blobs.

        What was built from a local tree, in a kept folder, or not sealed, stays in this checkout:
        nobody else could tell what it was made from.
        """
        return self._local if record["local"] else self._store

    def _build(
        self,
        job: Job,
        archive: Fetched | None,
        made: Mapping[str, Any],
        report: Callable[[str], None],
        *,
        force: bool,
    ) -> dict[str, Any]:
        plan = job.plan
        place = None if self._machine.mode == "bwrap" else job.work
        base, compiled = kept.base(made, place), checkpoint.base(made, plan, place)
        work = Work(job.work)
        before = None if force else checkpoint.restore(work, compiled)
        tree = kept.claim(job.work, base)
        if force or not plan.keeps or before is not None:
            tree = None
        if before is None:
            checkpoint.forget(job.work)
        job.work.mkdir(parents=True, exist_ok=True)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("w+b") as log:
            log.write(before or b"")
            build = self.build(job, log, report)
            inputs = replace(
                self._inputs(job, archive, tree),
                compiled=before is not None,
                made=lambda: checkpoint.note(work, plan, compiled, job.log),
            )
            try:
                self._run(build, inputs)
            except QuardError as error:
                if build.orderly and plan.keeps:
                    kept.keep(job.work, base, job.tree.entries if job.tree else {})
                if isinstance(error, StepFailed) or error.reason in _WORTH_A_LOOK:
                    raise  # the work folder stays, for whoever looks into the failure
                if checkpoint.noted(job.work) and error.reason != "disk-full":
                    raise
                remove_tree(job.work)
                raise
            report("split")
            goes_on = tree is not None or before is not None
            local = bool(plan.tree) or goes_on or build.sandbox.mode == "none"
            store = self._local if local else self._store
            record = staged.keep(build, self._machine.toolchain, store, log.name, local=local)
            if archive:
                # No address: the same bytes have others in other recipes and at other times.
                record["archive"] = {"file": archive.path.name, "sha256": archive.sha256}
        if plan.keeps:
            for folder in (work.stage, work.root / "debug"):
                remove_tree(folder)
            kept.keep(job.work, base, job.tree.entries if job.tree else {})
        else:
            remove_tree(job.work)
        return record

    def _run(self, build: Build, inputs: BuildInputs) -> None:
        """Build in the kept folder where there is one, and from nothing if that does not do."""
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
                job.plan, job.needs, folder, self._machine.toolchain, (self._store, self._local)
            ),
            compiled=False,
            made=lambda: None,
        )


def _write_results(job: Job, record: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    """Write the result files, those that others depend on last; `made` is what it was made from."""
    results, blobs = job.results, record["blobs"]
    results.folder.mkdir(parents=True, exist_ok=True)
    if not made["sealed"]:
        (results.folder / UNSEALED).touch()
    name = record["name"]
    found = record["interface"]
    _keep_earlier(results, found)
    _write(results.record, record)
    _put(results.depends, canonical.sealed(made))
    if job.plan.deploys:
        _write(results.deploy, {"name": name, "deploy": blobs["deploy"]})
    _write(results.runtime, {"name": name, "runtime": blobs["runtime"]})
    _write(
        results.interface,
        {"name": name, "digest": canonical.digest(found), "interface": found},
    )


def _keep_earlier(results: Results, found: Mapping[str, Any]) -> None:
    """Keep the interface that is about to be replaced, so that dependants can say what changed.

    SCons removes the result files before it has them made; the record of the last one stays.
    """
    try:
        old = json.loads(results.record.read_bytes())["interface"]
        text = canonical.readable({"digest": canonical.digest(old), "interface": old})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return
    if old != found:
        _put(results.earlier, text)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    _put(path, canonical.readable(value))


def _put(path: Path, text: str) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def _log(store: Store, record: Mapping[str, Any], path: Path) -> None:
    """Put the log of the build that the store remembers in place."""
    with replacing(path) as part:
        shutil.copyfile(store.path(record["blobs"]["log"]), part)
        part.chmod(0o644)
