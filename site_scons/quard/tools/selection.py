"""What the lock of the pinned tools has for one target: packages, and the systems made of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.ledger.why_tools import TOOLCHAIN
from quard.process.system import System
from quard.tools import choice
from quard.tools.lock import Lock, LockedPackage
from quard.tools.names import Names
from quard.tools.origins import Origin, locked


class RootMaker(Protocol):
    """What makes systems of packages, see quard.tools.roots."""

    def digest(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> str:
        """Return the digest of the system that these packages and links make."""

    def has(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> bool:
        """Return whether that system has been made."""

    def owners(
        self, packages: Sequence[LockedPackage], paths: Iterable[str]
    ) -> Mapping[str, LockedPackage]:
        """Return which of these packages has each of these paths of their system, if any has."""

    def prepare(self, packages: Sequence[LockedPackage]) -> None:
        """Fetch and unpack packages of which several systems will be made."""

    def ready(self, digest: str) -> System | None:
        """Return the system with a digest; None if it has to be made first."""

    def provide(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> System:
        """Return that system; make it if need be."""


@record
class Selection(Record):
    """The packages of a lock as the builds for one target, a GNU triple, use them."""

    lock: Lock
    names: Names
    triple: str
    roots: RootMaker

    def packages(
        self, commands: tuple[str, ...] = (), *, native: bool = False
    ) -> tuple[LockedPackage, ...]:
        """Return the packages that a build sees which calls further commands.

        native -- the build is for the build machine
        Raises QuardError tool-missing for a command that no package has.
        """
        triple = "" if native else self.triple
        return choice.for_build(self.names, self.lock, triple, commands)

    def digest(self, commands: tuple[str, ...], *, native: bool = False) -> str:
        """Return the digest of all that a build sees. Raises as `packages` does."""
        packages = self.packages(commands, native=native)
        return self.roots.digest(packages, choice.links(self.names, packages))

    def system(self, commands: tuple[str, ...], *, native: bool = False) -> System:
        """Return the system that a build sees. Raises QuardError, see quard.tools.roots."""
        packages = self.packages(commands, native=native)
        return self.roots.provide(packages, choice.links(self.names, packages))

    def origins(self, commands: tuple[str, ...], files: Iterable[Path]) -> dict[Path, Origin]:
        """Return the packages that have these files of the system that a build sees.

        commands -- see `packages`
        files    -- absolute paths as the build sees them
        Raises QuardError, see quard.tools.roots.
        """
        inside = {str(file.relative_to("/")): file for file in files}
        found = self.roots.owners(self.packages(commands), inside)
        return {inside[path]: locked(package) for path, package in found.items()}

    def editor(self, commands: tuple[str, ...]) -> System:
        """Return that system with what a Kconfig editor is compiled with. Raises likewise."""
        names = self.names
        packages = choice.for_build(names, self.lock, self.triple, commands, names.menuconfig)
        return self.roots.provide(packages, choice.links(names, packages))

    def provide(self) -> None:
        """Have everything here that builds without further commands need, and all programs for use
        outside of builds. Raises QuardError, see quard.tools.roots.
        """
        roots = [(self.packages(), choice.links(self.names, self.packages()))]
        roots += [(self.lock.closure((owner,)), {}) for owner in self.names.machine]
        missing = [root for root in roots if not self.roots.has(*root)]
        # All packages at once, in one report: unpacking is faster than making many roots in turn.
        names = {package.name for packages, _ in missing for package in packages}
        self.roots.prepare(self.lock.closure(names))
        for packages, links in roots:
            self.roots.provide(packages, links)

    def terminals(self) -> System:
        """Return a system with descriptions of terminals. Raises likewise."""
        return self.roots.provide(self.lock.closure(self.names.terminals), {})

    def provide_debugger(self) -> None:
        """Have everything here that debugging needs besides. Raises likewise."""
        for owner in self.names.debug:
            self.roots.provide(self.lock.closure((owner,)), {})

    def tool_digest(self, name: str) -> str:
        """Return the digest of a program for use outside of builds; "": no package has it."""
        packages = self._of_tool(name)
        return self.roots.digest(packages, {}) if packages else ""

    def lacks_tool(self, name: str) -> bool:
        """Return whether such a program would have to be fetched or unpacked first."""
        packages = self._of_tool(name)
        return bool(packages) and not self.roots.has(packages, {})

    def start_tool(self, name: str) -> tuple[str, ...]:
        """Return the words that start such a program; none if no package has it.

        Raises QuardError, see quard.tools.roots.
        """
        found = self.tool(name)
        return found[0].start(found[1]) if found else ()

    def tool(self, name: str) -> tuple[System, Path] | None:
        """Return a system that has only such a program, and where that is; None: no package has it.

        Raises QuardError, see quard.tools.roots.
        """
        packages = self._of_tool(name)
        if not packages:
            return None
        system = self.roots.provide(packages, {})
        found = shutil.which(name, path=system.search(""))
        if found is None:
            # The machine's own program must not stand in for it: the key is that of this one.
            raise QuardError(
                f"the pinned tools have no {name}, although one of their packages does",
                detail=str(system.folder),
                reason="tool-missing",
                hint="the lock is wrong: run ./scons tools-update, which writes it",
            )
        return system, Path(found)

    def python(self) -> System:
        """Return a system with Python for use outside of builds. Raises as `system` does."""
        return self.roots.provide(self.lock.closure((choice.PYTHON,)), {})

    def of(
        self, name: str, commands: tuple[str, ...], *, native: bool = False
    ) -> tuple[LockedPackage, ...]:
        """Return the packages of the tools that have a name in the basis of a result.

        commands, native -- see `packages`
        """
        return self.packages(commands, native=native) if name == TOOLCHAIN else self._of_tool(name)

    def _of_tool(self, name: str) -> tuple[LockedPackage, ...]:
        """Return the packages that a program needs that is started outside of builds."""
        owner = choice.owner(self.names, self.lock, name)
        return self.lock.closure((owner,)) if owner else ()
