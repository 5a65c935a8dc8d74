"""The program of an action: builds one package where everything is sealed already.

The same code as on the user's machine prepares the folders, runs the steps, and splits and packs
what they install. It needs nothing but Python's standard library.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import UMASK, changed, file_sha256
from quard.dispatch import layout
from quard.execute import dependencies, staged, toolchain
from quard.execute.builder import Build
from quard.execute.inputs import BuildInputs
from quard.execute.job import Job, read_job
from quard.execute.machine import BuildMachine
from quard.execute.place import JobPlace
from quard.ledger.results import Results
from quard.plan.source import TOP
from quard.process.jobserver import Jobserver
from quard.process.sandbox import INSIDE, Work
from quard.process.stop import Stop
from quard.process.system import MACHINE
from quard.store.local import Store
from quard.store.stores import Stores

_TOP = Path("/")
_OUT = _TOP / layout.OUT


def main() -> int:
    """Build the package; leave its parts, its record and its log, or the error and the log."""
    os.umask(UMASK)
    _OUT.mkdir(exist_ok=True)
    try:
        found = {"record": _build(json.loads((_TOP / layout.DATA).read_bytes()))}
    except QuardError as error:
        found = {"error": {"message": error.message, "detail": error.detail}}
    (_OUT / layout.RESULT).write_text(canonical.canonical(found), encoding="utf-8")
    return 0 if "record" in found else 1


def _build(given: dict[str, Any]) -> dict[str, Any]:
    """Return the record of the package that is built; its parts and its log are outputs then."""
    job = read_job(given["job"])
    place = _place(job, given)
    with place.log.open("w+b") as log:
        build = Build(
            job.plan, _machine(given), Work(place.work), log, place.shown, lambda _phase: None
        )
        made = Store(_TOP / layout.JOB / "made")
        stores = Stores(Store(_TOP / layout.STORE), made)
        build.run(_inputs(job, place, build, stores, given))
        record = staged.keep(build, job, place, stores, lambda _: {}, local=False)
    for part in layout.parts(job.plan):
        shutil.copyfile(made.path(record["blobs"][part]), _OUT / part)
    shutil.copyfile(made.path(record["blobs"][layout.LOG]), place.log)
    return record


def _place(job: Job, given: dict[str, Any]) -> JobPlace:
    """Return where the action has the job's inputs."""
    named = (*job.plan.patches, *job.plan.files)
    return JobPlace(
        requests=(),
        tree=None,
        files={each.name: _TOP / layout.FILES / each.name for each in named},
        needs=given["needs"],
        natives=given["natives"],
        results=Results(_OUT, job.plan.name),
        work=Path(INSIDE),
        log=_OUT / layout.LOG,
        shown=given["shown"],
    )


def _machine(given: dict[str, Any]) -> BuildMachine:
    """Return what a build uses: the tools in /usr are exactly those that its key has."""
    compiler = toolchain.pinned(given["prefix"], MACHINE, layout.SEARCH)
    return BuildMachine(
        toolchain=lambda _plan: compiler,
        system=lambda _plan: MACHINE,
        origins=lambda _plan, _files: {},
        jobserver=Jobserver(len(os.sched_getaffinity(0))),
        mode="inside",
        search=layout.SEARCH,
        keep=(),
        stop=Stop(),
    )


def _inputs(
    job: Job, place: JobPlace, build: Build, stores: Stores, given: dict[str, Any]
) -> BuildInputs:
    """Return the inputs of the build. Raises QuardError changed-while-building."""
    archives, digests = {}, {}
    for into, sha256, file in given["archives"]:
        archives[into], digests[into] = _TOP / layout.archive(sha256, file), sha256
        if file_sha256(archives[into]) != sha256:
            raise changed(archives[into])
    return BuildInputs(
        archives=archives,
        upstream=digests[TOP] == job.plan.sources[0],
        tree=None,
        folders={},
        kept=None,
        read=place.read,
        lay_out=lambda work: dependencies.lay_out(job, place, work, build.toolchain, stores),
        compiled=False,
        made=lambda: None,
    )


if __name__ == "__main__":
    sys.exit(main())
