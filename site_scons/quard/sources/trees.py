"""Source folders as inputs: a listing of what a build can see in them, and its digest."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from quard.base.hashes import Hashes
from quard.base.record import Record, record

IGNORED = frozenset((".git", ".hg", ".svn"))
"""Folders of version control: they change without a change of the source."""

Kind = Literal["file", "program", "link", "folder"]


@record
class Entry(Record):
    """One path of a tree; `content` is a file's SHA-256 (hexadecimal), or a link's target."""

    kind: Kind
    content: str


@record
class Listing(Record):
    """The content of a tree: path -> entry, sorted, folders before their content."""

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

    def described(self) -> dict[str, str]:
        """Return path -> everything else that the digest covers, to report what changed."""
        return {path: f"{each.kind} {each.content}" for path, each in self.entries.items()}


def tree_digest(folder: Path) -> str:
    """Return the digest of a tree; every file is read."""
    return scan(folder).digest


def scan(folder: Path, memory: Path | None = None) -> Listing:
    """Return the listing of a tree.

    memory -- file with the hashes of an earlier scan (quard.base.hashes)
    """
    hashes = Hashes(folder, memory)
    entries: dict[str, Entry] = {}
    for path, found in _walk(folder, ""):
        status = found.stat(follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            kind: Kind = "program" if status.st_mode & stat.S_IXUSR else "file"
            entries[path] = Entry(kind, hashes.of(path, status))
        elif stat.S_ISLNK(status.st_mode):
            entries[path] = Entry("link", os.readlink(found.path))
        elif stat.S_ISDIR(status.st_mode):
            entries[path] = Entry("folder", "")
    hashes.save()
    return Listing(folder, entries)


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
