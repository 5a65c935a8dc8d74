"""Whether dependants find the modules that a package's pkg-config files require.

A dependant sees the package and what it exports. Without one of these modules pkg-config ends with
an error: a configure script takes the library for absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.plain import one_line
from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.ledger.results import lost_blob
from quard.parts.pkgconfig import modules, required
from quard.plan.natives import DEV
from quard.process.sandbox import Work
from quard.store import blob
from quard.store.stores import Stores


def unseen(
    job: Job, place: JobPlace, work: Work, dev: Sequence[str], stores: Stores
) -> Iterator[QuardError]:
    """Yield an error for the modules that dependants would not find.

    A build for the build machine sees all that its needs were built with, so there is nothing to
    check.

    dev    -- paths of the package's files for dependants, below the staging folder
    stores -- the stores that have the dev parts of what the package needs
    Raises LostResult.
    """
    own, plan = modules(work.stage, dev), job.plan
    wanted = {path: {*names} - own for path, names in required(work.stage, dev).items()}
    if plan.native or not any(wanted.values()):
        return
    seen = _modules(job, place, work.sysroot, stores)
    found = frozenset[str]().union(*(seen[name] for name in plan.exports))
    lines = [
        one_line(f"{path}: {module}{_owner(module, seen)}")
        for path, names in sorted(wanted.items())
        for module in sorted(names - found)
    ]
    if lines:
        yield QuardError(
            "pkg-config files require modules that dependants do not see",
            detail="\n".join(lines),
            reason="pkg-config-requires",
            hint="name the packages that have them in `exports` of the recipe, and in `needs`; or"
            " correct the files in `finish`",
        )


def _modules(
    job: Job, place: JobPlace, sysroot: Path, stores: Stores
) -> Mapping[str, frozenset[str]]:
    """Return the modules of each package that the build sees."""
    found = {}
    for name in job.plan.needs:
        part = stores.blob(job.dev[name])
        if part is None:
            raise lost_blob(place.needs[name], DEV, job.dev[name])
        found[name] = modules(sysroot, (member.path for member in blob.members(part)))
    return found


def _owner(module: str, seen: Mapping[str, frozenset[str]]) -> str:
    owners = [name for name, names in sorted(seen.items()) if module in names]
    return f", of {' and '.join(owners)}" if owners else ", which no package in `needs` has"
