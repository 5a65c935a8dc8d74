"""Folders of source code as inputs: what a build could see of them, and one digest over it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from quard import canonical
from quard.errors import QuardError
from quard.store.files import replacing

IGNORED = frozenset((".git", ".hg", ".svn"))
"""Folders of version control: their content changes without the source changing."""

_VERSION = 2
_GRAIN = 2_000_000_000
"""Nanoseconds: the coarsest time stamps of a file system in use. What was written so shortly
before it was read may have been written once more without another time stamp."""

Kind = Literal["file", "program", "link", "folder"]


@dataclass(frozen=True)
class Entry:
    """One path of a tree; `content` is a file's SHA-256 (hexadecimal), or a link's target."""

    kind: Kind
    content: str


@dataclass(frozen=True)
class Listing:
    """A tree as it was found: path -> entry, folders before what is in them, sorted."""

    folder: Path
    entries: Mapping[str, Entry]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over path, type, executable bit, link target and content of everything."""
        total = hashlib.sha256()
        for path, entry in self.entries.items():
            if entry.kind in ("file", "program"):
                content = bytes.fromhex(entry.content)
            else:
                content = os.fsencode(entry.content)
            for part in (os.fsencode(path), entry.kind.encode(), content):
                total.update(b"%d:" % len(part))
                total.update(part)
        return total.hexdigest()


def tree_digest(folder: Path) -> str:
    """Return the digest of a tree, all of which is read."""
    return scan(folder).digest


def scan(folder: Path, memory: Path | None = None) -> Listing:
    """Return what is in a tree.

    memory -- file with the hashes of an earlier scan; a file whose size, inode, modification and
              change time are those of that scan is not read again, unless it was written within
              `_GRAIN` of the scan (as git does with its index, "racy git")
    """
    known = _recall(folder, memory)
    taken = time.time_ns()
    entries: dict[str, Entry] = {}
    stamps: dict[str, list[int | str]] = {}
    for path, found in _walk(folder, ""):
        status = found.stat(follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            stamp = [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]
            before = known.get(path)
            if before is not None and before[:4] == stamp:
                sha256 = str(before[4])
            else:
                with open(found.path, "rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if max(stamp[2:]) < taken - _GRAIN:
                stamps[path] = [*stamp, sha256]
            entries[path] = Entry("program" if status.st_mode & stat.S_IXUSR else "file", sha256)
        elif stat.S_ISLNK(status.st_mode):
            entries[path] = Entry("link", os.readlink(found.path))
        elif stat.S_ISDIR(status.st_mode):
            entries[path] = Entry("folder", "")
    if memory is not None and stamps != known:
        _remember(folder, memory, stamps)
    return Listing(folder, entries)


def changed(path: Path) -> QuardError:
    """Return the error for an input that is no longer what the plan was made from."""
    return QuardError(
        f"{path.name} was changed while it was being built",
        detail=str(path),
        reason="changed-while-building",
        hint="run the same command again",
    )


def _walk(folder: Path | str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name in IGNORED:
            continue
        path = prefix + entry.name
        yield path, entry
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, path + "/")


def _recall(folder: Path, memory: Path | None) -> dict[str, list[int | str]]:
    """Return path -> size, inode, times and hash; nothing where the memory cannot be used."""
    if memory is None:
        return {}
    try:
        found = canonical.unsealed(memory.read_bytes())
    except OSError:
        found = None
    if found and (found.get("version"), found.get("folder")) == (_VERSION, str(folder)):
        files: dict[str, list[int | str]] = found["files"]
        return files
    return {}  # missing or damaged: everything is read again


def _remember(folder: Path, memory: Path, stamps: Mapping[str, list[int | str]]) -> None:
    """Write the hashes down; a disk that is full only makes the next scan slower."""
    value = {"version": _VERSION, "folder": str(folder), "files": stamps}
    with contextlib.suppress(OSError), replacing(memory) as part:
        part.write_text(canonical.sealed(value, indent=None), encoding="ascii")
