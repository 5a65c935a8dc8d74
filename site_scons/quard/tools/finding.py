"""Finding the pinned tools of a project for one board and this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.boards.configuration import Configuration
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
) -> PinnedTools | None:
    """Return the tools for a configuration; None if the project has no pinned tools.

    cache    -- folder of packages and roots
    roots    -- returns what makes systems of packages
    programs -- keeps what follows from the lock and the names
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
    triple, kernel = configuration.target.compiler, os.uname().machine

    def load() -> Selection:
        return _load(project, kernel, triple, compiler.prefix, roots())

    def check() -> str:
        load()
        return ""

    about = f"for {triple} {compiler.prefix} {kernel}"
    # Editors put links that lead nowhere beside the files that they edit.
    files = sorted(path for path in (project / FOLDER).iterdir() if path.is_file())
    memory = Memory(programs, (*files, *_ENGINE), about)
    memory.recalled("usable", check)
    return PinnedTools(load, memory)


def _load(project: Path, kernel: str, triple: str, prefix: str, roots: RootMaker) -> Selection:
    from quard.tools import lockfile, names  # noqa: PLC0415 - a null build reads no lock
    from quard.tools.selection import Selection  # noqa: PLC0415

    found = names.load(project)
    if triple not in found.targets or prefix != f"{triple}-":
        raise unavailable(f"{FILE} has no cross compiler {prefix}gcc")
    if kernel not in lockfile.MACHINES:
        raise unavailable(f"there are none for this machine's processor, {kernel}")
    machine = lockfile.MACHINES[kernel]
    file = lockfile.name(found.release, machine)
    if not (project / file).exists():
        raise unavailable(f"there is no {file}")
    return Selection(lockfile.load(project, found, machine), found, triple, roots)


def unavailable(why: str, hint: str = _HINT) -> QuardError:
    """Return the error for a machine or a board that cannot use the pinned tools."""
    return QuardError(
        f"the pinned tools cannot be used: {why}", reason="tools-unavailable", hint=hint
    )
