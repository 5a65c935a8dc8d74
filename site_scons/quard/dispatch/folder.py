"""What an action finds at /: a tree of folders, files by their hash, and links.

It is plain data. `quard.dispatch.merkle` encodes it for a server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quard.base.files import file_sha256
from quard.base.record import Record, record
from quard.process.system import System
from quard.tools import listing

_EXECUTABLE = 0o100


@record
class File(Record):
    """A file; actions see whether it is executable, and no other part of its mode.

    source -- its content, or where this machine has it
    """

    sha256: str
    size: int
    executable: bool
    source: Path | bytes


@record
class Link(Record):
    """A symbolic link."""

    target: str


@dataclass(frozen=True, eq=False)
class Folder:
    """A folder; it must not change any more once it is part of another one.

    It equals no other one, so that what is known of a large one is found at once.
    """

    entries: dict[str, File | Link | Folder] = field(default_factory=dict)

    def put(self, path: str, entry: File | Link | Folder) -> None:
        """Put something at a path below this folder, where nothing is yet."""
        first, _, rest = path.partition("/")
        if rest:
            inner = self.entries.setdefault(first, Folder())
            if not isinstance(inner, Folder):
                raise ValueError(f"{first} is no folder")
            inner.put(rest, entry)
        elif first in self.entries:
            raise ValueError(f"two entries {first}")
        else:
            self.entries[first] = entry

    def files(self, prefix: str = "") -> Iterator[tuple[str, File]]:
        """Yield each file below this folder, by its path."""
        for name, entry in sorted(self.entries.items()):
            if isinstance(entry, Folder):
                yield from entry.files(f"{prefix}{name}/")
            elif isinstance(entry, File):
                yield prefix + name, entry


def text(content: bytes) -> File:
    """Return a file with this content."""
    return File(hashlib.sha256(content).hexdigest(), len(content), False, content)


def named(path: Path, sha256: str = "", *, executable: bool = False) -> File:
    """Return a file of this machine. Raises OSError.

    sha256 -- of its content; "": it is computed
    """
    return File(sha256 or file_sha256(path), path.stat().st_size, executable, path)


def of_system(system: System, leave_out: tuple[str, ...] = ()) -> Folder:
    """Return the files of pinned tools, whose listing has their hashes. Raises OSError.

    leave_out -- paths of files and folders that are not needed
    """
    found = Folder()
    for path, entry in listing.entries(system.folder).items():
        if not any(path == each or path.startswith(f"{each}/") for each in leave_out):
            found.put(path, _listed(system.folder / path, entry))
    return found


def _listed(place: Path, entry: listing.Entry) -> File | Link | Folder:
    kind, *facts = entry
    if kind == listing.LINK:
        return Link(facts[0])
    if kind == listing.FOLDER:
        return Folder()
    return _file(place, *facts)


def _file(place: Path, mode: int, size: int, sha256: str, *_: Any) -> File:
    return File(sha256, size, bool(mode & _EXECUTABLE), place)
