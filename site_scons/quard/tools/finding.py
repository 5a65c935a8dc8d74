"""Finding the pinned tools of a project for one board and this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.boards.configuration import Configuration
from quard.tools import choice, layout, lockfile, names
from quard.tools import roots as roots_
from quard.tools.pinned import PinnedTools, RootMaker


def find(
    project: Path, configuration: Configuration, roots: RootMaker, memory: Programs
) -> PinnedTools | None:
    """Return the tools for a configuration; None if the project has no pinned tools.

    roots  -- makes systems of packages
    memory -- keeps what follows from the lock and the names
    Raises QuardError: tools-unavailable (this machine or this board cannot use them), bad-tools.
    """
    if not (project / names.FILE).exists():
        return None
    compiler, triple = configuration.toolchain, configuration.target.triple
    if compiler.folder:
        raise unavailable(f"the board names a cross compiler of its own, {compiler.folder}")
    found = names.load(project)
    if triple not in found.targets or compiler.prefix != f"{triple}-":
        raise unavailable(f"{names.FILE} has no cross compiler {compiler.prefix}gcc")
    kernel = os.uname().machine
    if kernel not in lockfile.MACHINES:
        raise unavailable(f"there are none for this machine's processor, {kernel}")
    machine = lockfile.MACHINES[kernel]
    files = (project / names.FILE, project / lockfile.name(found.release, machine))
    if not files[1].exists():
        raise unavailable(f"there is no {lockfile.name(found.release, machine)}")
    kept = _Memory(memory, (*files, *_ENGINE))
    return PinnedTools(lambda: lockfile.load(project, found, machine), found, triple, roots, kept)


_ENGINE = tuple(Path(str(module.__file__)) for module in (choice, layout, lockfile, names, roots_))
"""What decides, besides the lock and the names, which packages a build sees."""


class _Memory:
    """What is kept as long as these files stay as they are."""

    def __init__(self, programs: Programs, files: Sequence[Path]) -> None:
        self._programs = programs
        self._files = files

    def recall(self, subject: str) -> str | None:
        found = self._programs.recall(f"pinned {subject}", self._files)
        return found[0] if found else None

    def note(self, subject: str, text: str) -> None:
        self._programs.note(f"pinned {subject}", self._files, (text,))
        self._programs.save()


def unavailable(why: str) -> QuardError:
    """Return the error for a machine or a board that cannot use the pinned tools."""
    return QuardError(
        f"the pinned tools cannot be used: {why}",
        reason="tools-unavailable",
        hint='set [tools] root = "auto" or "machine" in local.toml: this machine\'s own tools are'
        " used then",
    )
