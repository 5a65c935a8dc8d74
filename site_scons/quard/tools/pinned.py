"""The pinned tools of one target: which packages a build may use, and the system made of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from quard.ledger.why_tools import PINNED
from quard.process.system import System
from quard.tools import choice
from quard.tools.lock import Lock, LockedPackage
from quard.tools.names import Names


class RootMaker(Protocol):
    """What makes systems of packages, see quard.tools.roots."""

    def digest(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> str:
        """Return the digest of the system that these packages and links make."""

    def provide(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> System:
        """Return that system; make it if need be."""


class Memory(Protocol):
    """Texts that are kept between runs, as long as the lock and the names stay as they are."""

    def recall(self, subject: str) -> str | None:
        """Return what was noted; None if nothing was, or if something has changed since."""

    def note(self, subject: str, text: str) -> None:
        """Keep a text."""


class PinnedTools:
    """The packages of a lock as the builds for one target, a GNU triple, use them.

    read   -- returns the lock; called on first use, which a null build does without
    memory -- keeps identities
    """

    def __init__(
        self,
        read: Callable[[], Lock],
        names: Names,
        triple: str,
        roots: RootMaker,
        memory: Memory,
    ) -> None:
        self._read = read
        self.names = names
        self._triple = triple
        self._roots = roots
        self._memory = memory

    @cached_property
    def lock(self) -> Lock:
        """The lock. Raises QuardError bad-tools."""
        return self._read()

    def packages(self, commands: tuple[str, ...] = ()) -> tuple[LockedPackage, ...]:
        """Return the packages that a build sees which calls further commands.

        Raises QuardError tool-missing for a command that no package has.
        """
        return choice.for_build(self.names, self.lock, self._triple, commands)

    def identity(self, commands: tuple[str, ...] = ()) -> str:
        """Return the identity of all that a build sees, for keys. Raises as `packages` does."""

        def digest() -> str:
            packages = self.packages(commands)
            return self._roots.digest(packages, choice.links(self.names, packages))

        return PINNED + self._recalled(f"builds {self._triple} {' '.join(commands)}", digest)

    def _recalled(self, subject: str, find: Callable[[], str]) -> str:
        known = self._memory.recall(subject)
        if known is None:
            known = find()
            self._memory.note(subject, known)
        return known

    def system(self, commands: tuple[str, ...] = ()) -> System:
        """Return the system that a build sees. Raises QuardError, see quard.tools.roots."""
        packages = self.packages(commands)
        return self._roots.provide(packages, choice.links(self.names, packages))

    def provide(self) -> None:
        """Have everything here that builds without further commands need, and all programs for use
        outside of builds. Raises QuardError, see quard.tools.roots.
        """
        self.system()
        for owner in self.names.machine:
            self._roots.provide(self.lock.closure((owner,)), {})

    def tool_identity(self, name: str) -> str:
        """Return the identity of a program for use outside of builds; "": no package has it."""

        def digest() -> str:
            packages = self._of_tool(name)
            return self._roots.digest(packages, {}) if packages else ""

        found = self._recalled(f"tool {name}", digest)
        return PINNED + found if found else ""

    def start_tool(self, name: str) -> tuple[str, ...]:
        """Return the words that start such a program; none if no package has it.

        Raises QuardError, see quard.tools.roots.
        """
        packages = self._of_tool(name)
        if not packages:
            return ()
        system = self._roots.provide(packages, {})
        found = shutil.which(name, path=system.search(""))
        return system.start(Path(found)) if found else ()

    def _of_tool(self, name: str) -> tuple[LockedPackage, ...]:
        """Return the packages that a program needs that is started outside of builds."""
        owner = choice.owner(self.names, self.lock, name)
        return self.lock.closure((owner,)) if owner else ()
