"""The lock of the pinned tools: binary packages of one Debian release, each by its hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from quard.base.record import Record, record


@record(kw_only=True)
class LockedPackage(Record):
    """One binary package.

    file     -- its path below the root of any mirror of the archive
    size     -- of that file, in bytes
    sha256   -- of that file
    source   -- name and version of the source package, separated by a space
    needs    -- names of the locked packages that it depends on, resolved
    commands -- names of its programs in usr/bin and usr/sbin
    includes -- other source packages of which it has parts, each as `source`
    """

    name: str
    version: str
    file: str
    size: int
    sha256: str
    source: str
    needs: tuple[str, ...]
    commands: tuple[str, ...]
    includes: tuple[str, ...] = ()


@record(kw_only=True)
class Lock(Record):
    """The packages of one release for one kind of build machine.

    release  -- Debian's name of it, as in trixie
    machine  -- Debian's name of the build machine's architecture, as in amd64
    packages -- by name; the needs of each are among them
    dated    -- date of the signed list of the release that they are from, see quard.tools.dates;
                "" if the lock was written without one
    """

    release: str
    machine: str
    packages: Mapping[str, LockedPackage]
    dated: str = ""

    def closure(self, names: Iterable[str]) -> tuple[LockedPackage, ...]:
        """Return these packages and all that they need, sorted by name.

        Raises KeyError for a name that is not in the lock.
        """
        found: dict[str, LockedPackage] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = self.packages[name]
                waiting += found[name].needs
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """Command -> the package that has it; of several, the first by name."""
        found: dict[str, str] = {}
        for name in sorted(self.packages):
            for command in self.packages[name].commands:
                found.setdefault(command, name)
        return found
