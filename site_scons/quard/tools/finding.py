"""Finding the pinned tools of a project for one board and this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.boards.configuration import Configuration
from quard.boards.trees import parted, placed
from quard.target import Target
from quard.tools.pinned import Memory, PinnedTools
from quard.tools.place import FILE, FOLDER

if TYPE_CHECKING:
    from quard.tools.selection import RootMaker, Selection

_MODULES = ("choice", "layout", "lock", "lockfile", "names", "roots", "selection")
_ENGINE = tuple(Path(__file__).with_name(f"{name}.py") for name in _MODULES)
"""What decides, besides the lock and the names, which packages a build sees."""
_SPECIAL = (":", ";", "$", "\n")
"""Separate or replace something in a list of folders (ld.so(8), PATH), and cannot be escaped."""
_HINT = (
    'set [tools] root = "auto" or "machine" in local.toml: this machine\'s own tools are used then'
)


def find(
    project: Path,
    configuration: Configuration,
    cache: Path,
    roots: Callable[[], RootMaker],
    programs: Programs,
    beside: Path | None = None,
) -> PinnedTools | None:
    """Return the tools for a configuration; None if the project has no pinned tools.

    cache    -- folder of packages and roots
    roots    -- returns what makes systems of packages
    programs -- keeps what follows from the lock and the names
    beside   -- folder of the product tree that has the target, if one has it: its lock is used
                where it has one
    Raises QuardError: tools-unavailable (this machine, its cache or this board cannot use
    them), bad-tools.
    """
    if not (project / FILE).exists():
        return None
    compiler = configuration.toolchain
    if compiler.folder:
        raise unavailable(f"the board names a cross compiler of its own, {compiler.folder}")
    real = os.path.realpath(cache)
    if any(character in real for character in _SPECIAL):
        raise unavailable(f"the path of the cache contains ':', ';', '$' or a line break: {real!r}")
    target, kernel = configuration.target.freestanding, os.uname().machine
    place = beside if beside and (beside / FOLDER).is_dir() else project

    def load() -> Selection:
        return _load(project, place, kernel, target, compiler.prefix, roots())

    def check() -> str:
        load()
        return ""

    about = f"for {target.triple} {compiler.prefix} {kernel} {' '.join(target.tools)}"
    memory = Memory(programs, (*_files(project, place), *_ENGINE), about)
    memory.recalled("usable", check)
    return PinnedTools(load, memory, lambda digest: roots().ready(digest))


def _files(project: Path, place: Path) -> list[Path]:
    """Return the files of the names and the lock, and others beside them, sorted.

    Editors put links that lead nowhere beside the files that they edit.
    """
    folders = (project / FOLDER,) if place == project else (project / FOLDER, place / FOLDER)
    return sorted(path for each in folders for path in each.iterdir() if path.is_file())


def _load(
    project: Path, place: Path, kernel: str, target: Target, prefix: str, roots: RootMaker
) -> Selection:
    """Read the names, and the lock that the tree in `place` has."""
    from quard.tools import lockfile, names  # noqa: PLC0415 - a null build reads no lock
    from quard.tools.selection import Selection  # noqa: PLC0415

    found = names.load(project, {target.triple: target.tools})
    if not target.tools or prefix != f"{target.triple}-":
        raise unavailable(f"{target.file} names no package with {prefix}gcc")
    if kernel not in lockfile.MACHINES:
        raise unavailable(f"there are none for this machine's processor, {kernel}")
    machine = lockfile.MACHINES[kernel]
    tree, file = parted(target.file)[0], lockfile.name(found.release, machine)
    has = tree if place != project else ""
    if not (place / file).exists():
        raise unavailable(f"there is no {placed(has, file)}")
    if tree and not has:
        lock = lockfile.read(place, found.release, machine)
        if missing := sorted({*target.tools}.difference(lock.packages)):
            raise unavailable(
                f"{file} does not have {', '.join(missing)}, which {target.file} names;"
                f" ./scons tools-update in the folder of {tree} writes a lock that has"
            )
    return Selection(lockfile.load(place, found, machine, has), found, target.triple, roots)


def unavailable(why: str, hint: str = _HINT) -> QuardError:
    """Return the error for a machine or a board that cannot use the pinned tools."""
    return QuardError(
        f"the pinned tools cannot be used: {why}", reason="tools-unavailable", hint=hint
    )
