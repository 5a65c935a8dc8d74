"""The sysroot of a build: the dev parts of the package's dependencies.

Beside it are the packages for the build machine that the build sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.plain import one_line
from quard.execute import native, sysroot
from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.execute.toolchain import Toolchain
from quard.ledger.results import lost_blob
from quard.parts.stage import below, is_folder
from quard.plan.natives import DEV
from quard.process.sandbox import Work
from quard.store import blob
from quard.store.merge import Collision
from quard.store.stores import Stores
from quard.target import c_library

_SCRIPTS = "usr/bin/*-config"
"""Scripts of dev parts that say how a compiler finds a library."""


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
    plan = job.plan
    found = _Merged(folder, stores, place.needs)
    for name in plan.links:
        found.add(name, DEV, job.dev[name])
    sysroot.libraries_only(folder)
    if c_library(plan.triple) == "glibc":
        sysroot.own_sysroot(folder, toolchain)
    for name in plan.needs:
        found.add(name, DEV, job.dev[name])
    if found.met:
        raise QuardError(
            f"{plan.name} {plan.version}: dependencies install different files at the same path",
            detail="\n".join(found.met),
            reason="file-collision",
            hint="drop each of them in one of the two recipes",
        )


def _lay_out_natives(job: Job, place: JobPlace, folder: Path, stores: Stores) -> None:
    """Put what the build sees of packages for the build machine into a folder.

    Builds for the target call its programs. Scripts that would answer with the headers and
    libraries of the build machine are only for builds that link with these.
    """
    plan = job.plan
    found = _Merged(folder, stores, place.natives)
    seen = [(name, part) for name, _, part in (each.partition(":") for each in plan.natives)]
    for name, part in seen:
        if part != DEV:
            found.add(name, part, job.native[f"{name}:{part}"])
    programs = {*folder.glob(_SCRIPTS)}
    for name, part in seen:
        if part == DEV:
            found.add(name, part, job.native[f"{name}:{part}"])
    if found.met:
        raise QuardError(
            f"{plan.name} {plan.version}: packages for the build machine install different files"
            " at the same path",
            detail="\n".join(sorted(found.met)),
            reason="file-collision",
            hint="drop each of them in one of the two recipes (for_build)",
        )
    if not plan.native:
        for path in {*folder.glob(_SCRIPTS)} - programs:
            if not is_folder(path):
                path.unlink()


@dataclass
class _Merged:
    """A folder with parts of packages.

    known -- name -> name for users
    added -- (package, part, digest) of each part
    met   -- a line for each path at which there is another file already
    """

    folder: Path
    stores: Stores
    known: Mapping[str, str]
    added: list[tuple[str, str, str]] = field(default_factory=list)
    met: list[str] = field(default_factory=list)

    def add(self, name: str, part: str, digest: str) -> None:
        """Put a part of a package into the folder. Raises LostResult."""
        try:
            if not self.stores.extract(digest, self.folder):
                raise lost_blob(self.known[name], part, digest)
        except Collision as error:
            for where, text in sorted(error.found.items()):
                self.met.append(one_line(f"{where}: {self._owner(where)} and {name}: {text}"))
        self.added.append((name, part, digest))

    def _owner(self, path: str) -> str:
        """Return the first package that has a path."""
        for name, part, digest in self.added:
            found = self.stores.blob(digest)
            if found is None:
                raise lost_blob(self.known[name], part, digest)
            if any(below(member.path, path) for member in blob.members(found)):
                return name
        return "the toolchain"
