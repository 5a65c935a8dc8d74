"""The sysroot of a build: the dev parts of the package's dependencies.

Beside it are the packages for the build machine that the build sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.plain import one_line
from quard.execute import native, sysroot
from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.execute.toolchain import Toolchain
from quard.ledger.results import lost_blob
from quard.parts.stage import below
from quard.process.sandbox import Work
from quard.store import blob
from quard.store.merge import Collision
from quard.store.stores import Stores
from quard.target import facts

_PART = "dev"


def lay_out(job: Job, place: JobPlace, work: Work, toolchain: Toolchain, stores: Stores) -> None:
    """Put what a build sees of other packages into its folders.

    stores -- the stores that have the dev parts
    Raises QuardError file-collision with every path that two of them have, LostResult.
    """
    stores.gather((*job.dev.values(), *job.native.values()))
    if job.plan.natives:
        _lay_out_natives(job, place, work.native, stores)
    if job.plan.native:
        native.share_sysroot(work)
    else:
        _lay_out_sysroot(job, place, work.sysroot, toolchain, stores)


def _lay_out_sysroot(
    job: Job, place: JobPlace, folder: Path, toolchain: Toolchain, stores: Stores
) -> None:
    """Put the dependencies' files into the sysroot folder, over the toolchain's own sysroot."""
    met: list[str] = []
    before: list[str] = []

    def extract(name: str) -> None:
        try:
            if not stores.extract(job.dev[name], folder):
                raise lost_blob(place.needs[name], _PART, job.dev[name])
        except Collision as error:
            for where, text in sorted(error.found.items()):
                other = _who_has(where, before, job, place, stores)
                met.append(one_line(f"{where}: {other} and {name}: {text}"))
        before.append(name)

    plan = job.plan
    for name in plan.links:
        extract(name)
    sysroot.libraries_only(folder)
    if not facts(plan.triple, native=plan.native).package:
        sysroot.own_sysroot(folder, toolchain)
    for name in plan.needs:
        extract(name)
    if met:
        raise QuardError(
            f"{plan.name} {plan.version}: dependencies install different files at the same path",
            detail="\n".join(met),
            reason="file-collision",
            hint="drop each of them in one of the two recipes",
        )


def _lay_out_natives(job: Job, place: JobPlace, folder: Path, stores: Stores) -> None:
    """Put what the build sees of packages for the build machine into a folder."""
    met: list[str] = []
    for each in job.plan.natives:
        name, _, part = each.partition(":")
        try:
            if not stores.extract(job.native[each], folder):
                raise lost_blob(place.natives[name], part, job.native[each])
        except Collision as error:
            met += [one_line(f"{where}: {name}: {text}") for where, text in error.found.items()]
    if met:
        raise QuardError(
            f"{job.plan.name} {job.plan.version}: packages for the build machine install different"
            " files at the same path",
            detail="\n".join(sorted(met)),
            reason="file-collision",
            hint="drop each of them in one of the two recipes (for_build)",
        )


def _who_has(path: str, names: Sequence[str], job: Job, place: JobPlace, stores: Stores) -> str:
    """Return the first of these packages whose dev part has a path."""
    for name in names:
        found = stores.blob(job.dev[name])
        if found is None:
            raise lost_blob(place.needs[name], _PART, job.dev[name])
        if any(below(member.path, path) for member in blob.members(found)):
            return name
    return "the toolchain"
