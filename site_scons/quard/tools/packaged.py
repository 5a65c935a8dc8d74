"""What fetched packages have: their paths and commands, and whether a closure has what it loads."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from quard.base.record import Record, record
from quard.parts import elf
from quard.parts.elf_view import View
from quard.sources.members import Bad, Stream
from quard.tools import deb
from quard.tools.lock import Lock

_PROGRAMS = ("usr/bin", "usr/sbin")
_HEAD = 20
_LOADED = (2, 3)
"""Kinds of ELF files that a loader loads, e_type: programs, and those at any address."""
_MACHINES = {"amd64": "EM_X86_64", "arm64": "EM_AARCH64"}


@record
class Packaged(Record):
    """One package.

    paths -- of all files and links, sorted
    loads -- for each library that a program or library names: ELF machine, path, library
    """

    paths: tuple[str, ...]
    loads: tuple[tuple[str, str, str], ...]

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of its programs, sorted."""
        split = (path.rpartition("/") for path in self.paths)
        return tuple(sorted({name for folder, _, name in split if folder in _PROGRAMS}))

    @property
    def libraries(self) -> frozenset[str]:
        """The names of its shared libraries and of links to them."""
        names = (path.rpartition("/")[2] for path in self.paths)
        return frozenset(name for name in names if ".so" in name)


def look(file: Path) -> Packaged:
    """Return what a package has. Raises QuardError bad-deb; OSError."""
    paths: list[str] = []
    loads: list[tuple[str, str, str]] = []
    with deb.refused(file), closing(deb.contents(file)) as found:
        for entry, stream in found:
            if entry.kind != "folder":
                paths.append(entry.path)
            if entry.kind == "file" and (data := _loadable(stream, entry.size)):
                loads += _loads(entry.path, data)
    return Packaged(tuple(sorted(paths)), tuple(loads))


def clashes(locks: Iterable[Lock], found: Mapping[str, Packaged]) -> tuple[str, ...]:
    """Return a line for each path that several packages of one lock have.

    found -- sha256 -> what that package has
    """
    lines: set[str] = set()
    for lock in locks:
        owner: dict[str, str] = {}
        for name in sorted(lock.packages):
            for path in found[lock.packages[name].sha256].paths:
                if (first := owner.setdefault(path, name)) != name:
                    lines.add(f"{path} is in {first} and in {name}")
    return tuple(sorted(lines))


def missing(lock: Lock, names: Iterable[str], found: Mapping[str, Packaged]) -> tuple[str, ...]:
    """Return a line for each library that the named packages load and do not bring along.

    Only a package that is left out on purpose can be the cause: Debian's own packages need those
    whose libraries they load.
    """
    lines: set[str] = set()
    for name in names:
        closure = lock.closure((name,))
        there = frozenset[str]().union(*(found[each.sha256].libraries for each in closure))
        lines |= {
            f"{path} of {package.name} loads {library} ({name}, {lock.machine})"
            for package in closure
            for machine, path, library in found[package.sha256].loads
            if machine == _MACHINES[lock.machine] and library not in there
        }
    return tuple(sorted(lines))


def _loads(path: str, data: bytes) -> list[tuple[str, str, str]]:
    try:
        frame = elf.frame(View(data))
    except (struct.error, ValueError, LookupError, OverflowError) as fault:
        raise Bad(f"{path}: a malformed ELF file: {fault}") from None
    return [(frame.machine, path, library) for library in frame.needed]


def _loadable(stream: Stream, size: int) -> bytes:
    """Return a file's content if it is a program or a shared library; else nothing."""
    if size < _HEAD:
        return b""
    head = b"".join(stream.pieces(_HEAD))
    if not head.startswith(b"\x7fELF") or struct.unpack_from("<H", head, 16)[0] not in _LOADED:
        return b""
    return head + b"".join(stream.pieces(size - _HEAD))
