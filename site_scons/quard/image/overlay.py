"""A folder of files laid over the packages, as it lies in the project.

What counts is what git keeps: path, type, link target, content and whether a file is executable.
Modes are 0755 or 0644 whatever the umask was; other modes and owners are said in the system's
table. Names in `IGNORED` never reach the image; everything else does.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from quard.errors import QuardError
from quard.image.tree import Content, Node

IGNORED = (".gitkeep", ".gitignore", "*~", ".*.sw?", ".#*", "#*#", ".DS_Store")
"""Files of git, and those that vi, emacs and a Mac's Finder leave beside what they show."""


@dataclass(frozen=True)
class _Item:
    path: str
    kind: str
    mode: int
    data: bytes


def nodes(name: str, folder: Path) -> Iterator[tuple[str, Node]]:
    """Yield (path, node) of everything in `folder`, sorted; `name` is the overlay's in messages.

    Raises QuardError: overlay-missing, overlay-unreadable, overlay-file-type, bad-file-name.
    """
    for item in _walk(name, folder):
        if item.kind == "link":
            yield item.path, Node("link", 0o777, target=os.fsdecode(item.data))
        elif item.kind == "directory":
            yield item.path, Node("directory", item.mode)
        else:
            yield item.path, Node("file", item.mode, content=Content(len(item.data), item.data))


def overlay_digest(folder: Path) -> str:
    """Return the SHA-256 over what `nodes` would yield; it is the overlay's identity.

    A few milliseconds for the default overlay: it runs in every build that does nothing.
    Raises the errors of `nodes`.
    """
    total = hashlib.sha256()
    for item in _walk(folder.name, folder):
        fields = (os.fsencode(item.path), item.kind.encode(), b"%o" % item.mode, item.data)
        for value in fields:
            total.update(b"%d:" % len(value))
            total.update(value)
    return total.hexdigest()


def overlay_listing(folder: Path) -> dict[str, str]:
    """Return path -> a digest of what `nodes` would yield for it, to tell what changed.

    Raises the errors of `nodes`.
    """
    return {
        item.path: hashlib.sha256(
            b"%s %o " % (item.kind.encode(), item.mode) + item.data
        ).hexdigest()
        for item in _walk(folder.name, folder)
    }


def _walk(name: str, folder: Path) -> Iterator[_Item]:
    if not folder.is_dir():
        raise QuardError(
            f"there is no overlay folder {name!r}",
            reason="overlay-missing",
            hint="make the folder, or take it out of the board's `overlays`",
        )
    try:
        yield from _scan(name, os.fspath(folder), "")
    except OSError as error:
        shown = os.path.relpath(error.filename or folder, folder)
        raise QuardError(
            f"overlay {name}: {shown} cannot be read",
            detail=error.strerror or str(error),
            reason="overlay-unreadable",
            hint="give yourself the right to read it",
        ) from error


def _scan(name: str, folder: str, prefix: str) -> Iterator[_Item]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in found:
        path = prefix + entry.name
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            yield _Item(path, "directory", 0o755, b"")
            yield from _scan(name, entry.path, f"{path}/")
        elif any(fnmatchcase(entry.name, pattern) for pattern in IGNORED):
            continue
        elif stat.S_ISLNK(mode):
            yield _Item(path, "link", 0o777, os.fsencode(Path(entry.path).readlink()))
        elif stat.S_ISREG(mode):
            executable = mode & stat.S_IXUSR
            with open(entry.path, "rb") as file:
                yield _Item(path, "file", 0o755 if executable else 0o644, file.read())
        else:
            raise QuardError(
                f"overlay {name}: {path} is neither file, folder nor link",
                reason="overlay-file-type",
                hint="take it out; devices belong into the system's table",
            )
