"""The pinned tools of one board: identities for keys, which are kept, and the tools themselves.

A null build only asks for identities, so nothing else is loaded until something is made.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.programs import Programs
from quard.ledger.why_tools import PINNED

if TYPE_CHECKING:
    from quard.process.system import System
    from quard.tools.origins import Origin
    from quard.tools.selection import Selection


class Memory:
    """Texts about one board's tools, kept between runs as long as files stay as they are.

    about -- what the texts are about, besides their subject
    """

    def __init__(self, programs: Programs, files: Sequence[Path], about: str) -> None:
        self._programs = programs
        self._files = files
        self._about = about

    def recalled(self, subject: str, find: Callable[[], str]) -> str:
        """Return what `find` has returned for a subject, or returns now."""
        name = f"pinned {self._about} {subject}"
        known = self._programs.recall(name, self._files)
        if known:
            return known[0]
        found = find()
        self._programs.note(name, self._files, (found,))
        self._programs.save()
        return found


class PinnedTools:
    """The packages of a lock as one board uses them.

    load   -- reads the lock; called on first use
    memory -- keeps identities
    ready  -- returns the root with a digest, None if it has to be made first
    """

    def __init__(
        self,
        load: Callable[[], Selection],
        memory: Memory,
        ready: Callable[[str], System | None] = lambda _: None,
    ) -> None:
        self._load = load
        self._memory = memory
        self._ready = ready

    @cached_property
    def _selection(self) -> Selection:
        return self._load()

    def identity(self, commands: tuple[str, ...] = (), *, native: bool = False) -> str:
        """Return the identity of all that a build sees which calls further commands, for keys.

        native -- the build is for the build machine
        Raises QuardError: tool-missing for a command that no package has, bad-tools.
        """
        subject = f"{'natives' if native else 'builds'} {' '.join(commands)}"
        return PINNED + self._memory.recalled(
            subject, lambda: self._selection.digest(commands, native=native)
        )

    def updates(
        self, folder: Path, name: str, commands: tuple[str, ...], before: str, *, native: bool
    ) -> tuple[str, ...]:
        """Return what changed in tools since they had a digest, see quard.tools.updates.

        folder   -- of all packages and roots
        name     -- of the tools in the basis of a result
        commands, native -- for `identity`
        """
        from quard.tools.updates import updates  # noqa: PLC0415 - only reports need it

        return updates(folder, before, self._selection.of(name, commands, native=native))

    def system(self, commands: tuple[str, ...] = (), *, native: bool = False) -> System:
        """Return the system that a build sees. Raises QuardError, see quard.tools.roots."""
        return self._selection.system(commands, native=native)

    def origins(self, commands: tuple[str, ...], files: Iterable[Path]) -> dict[Path, Origin]:
        """Return the packages that have these files of the system that a build sees.

        commands -- for `system`
        files    -- absolute paths as the build sees them
        Raises QuardError, see quard.tools.roots.
        """
        return self._selection.origins(commands, files)

    def editor(self, commands: tuple[str, ...] = ()) -> System:
        """Return the system in which a package's Kconfig editor is compiled and run.

        Raises QuardError, see quard.tools.roots.
        """
        return self._selection.editor(commands)

    def python(self) -> System:
        """Return a system with Python. Raises QuardError, see quard.tools.roots."""
        return self._selection.python()

    def provide(self) -> None:
        """Have everything here that most builds need. Raises QuardError, see quard.tools.roots."""
        self._selection.provide()

    def terminals(self) -> System:
        """Return a system with descriptions of terminals.

        Raises QuardError, see quard.tools.roots.
        """
        return self._selection.terminals()

    def provide_debugger(self) -> None:
        """Have the debugger here. Raises QuardError, see quard.tools.roots."""
        self._selection.provide_debugger()

    def tool_identity(self, name: str) -> str:
        """Return the identity of a program for use outside of builds; "": no package has it."""
        digest = self._tool_digest(name)
        return PINNED + digest if digest else ""

    def _tool_digest(self, name: str) -> str:
        return self._memory.recalled(f"tool {name}", lambda: self._selection.tool_digest(name))

    def lacks_tool(self, name: str) -> bool:
        """Return whether such a program would have to be fetched or unpacked first."""
        return self._selection.lacks_tool(name)

    def start_tool(self, name: str) -> tuple[str, ...]:
        """Return the words that start such a program; none if no package has it.

        The lock is not read if the root of that program is there: an edit of an overlay would
        spend a thirtieth of its time on that. Raises QuardError, see quard.tools.roots.
        """
        digest = self._tool_digest(name)
        system = self._ready(digest) if digest else None
        found = shutil.which(name, path=system.search("")) if system else None
        if system and found:
            return system.start(Path(found))
        return self._selection.start_tool(name)

    def tool(self, name: str) -> tuple[System, Path] | None:
        """Return a system that has only such a program, and where that is; None: no package has it.

        Raises QuardError, see quard.tools.roots.
        """
        return self._selection.tool(name)
