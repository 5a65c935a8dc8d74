"""Folders of source code as inputs: one digest over all that a build could see of them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from quard.errors import QuardError

IGNORED = frozenset((".git", ".hg", ".svn"))
"""Folders of version control: their content changes without the source changing."""


def tree_digest(folder: Path) -> str:
    """Return the SHA-256 over path, type, executable bit, link target and content of a tree."""
    total = hashlib.sha256()
    for path, entry in _walk(folder, ""):
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            kind, content = "link", os.fsencode(os.readlink(entry.path))
        elif stat.S_ISREG(mode):
            with open(entry.path, "rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
            kind = "program" if mode & stat.S_IXUSR else "file"
        else:
            kind, content = "folder", b""
        for part in (os.fsencode(path), kind.encode(), content):
            total.update(b"%d:" % len(part))
            total.update(part)
    return total.hexdigest()


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
