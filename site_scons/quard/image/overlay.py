"""Overlays: folders of the project whose files are laid over those of the packages.

Only what git stores counts: path, type, link target, content and whether a file is executable.
Modes are 0755 or 0644 whatever the umask was; the system's table sets other modes and owners.
Names in `IGNORED` never reach the image; everything else does.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from fnmatch import translate
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from quard.base.attributes import ACCESS_LIST, attributes
from quard.base.errors import QuardError, together
from quard.base.hashes import Hashes
from quard.base.plain import short
from quard.base.record import Record, record

if TYPE_CHECKING:
    from quard.image.tree import Node

IGNORED = (".gitkeep", ".gitignore", "*~", ".*.sw?", ".#*", "#*#", ".DS_Store")
"""Files of git, and those that vi, emacs and the macOS Finder leave behind."""
_IGNORED = re.compile("|".join(map(translate, IGNORED)))

_SPECIAL = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


@record
class Item(Record):
    """One path of an overlay.

    text -- the target of a link, the SHA-256 of a file's content
    size -- of a file
    special    -- set-id and sticky bits, which the mode here does not include
    attributes -- names of extended attributes
    """

    path: str
    kind: Literal["file", "directory", "link"]
    mode: int
    text: str = ""
    size: int = 0
    special: int = 0
    attributes: tuple[str, ...] = ()

    @property
    def is_special(self) -> bool:
        """Whether it has mode bits or attributes that an image does not take from an overlay."""
        return bool(self.special or self.attributes)

    @property
    def facts(self) -> tuple[str, ...]:
        """Everything about it except its path."""
        more = "\0".join((f"{self.special:o}", *self.attributes)) if self.is_special else ""
        return self.kind, f"{self.mode:o}", self.text, more


@record
class Overlay(Record):
    """A folder as a scan found it; `name` is what messages call it."""

    name: str
    folder: Path
    items: tuple[Item, ...]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 over everything: the overlay's identity."""
        total = hashlib.sha256()
        for item in self.items:
            for value in (item.path, *item.facts):
                data = os.fsencode(value)
                total.update(b"%d:" % len(data))
                total.update(data)
        return total.hexdigest()

    def listing(self) -> dict[str, str]:
        """Return path -> its facts as one text, to report what changed."""
        return {item.path: " ".join(item.facts).rstrip() for item in self.items}

    def nodes(self) -> Iterator[tuple[str, Node]]:
        """Yield (path, node) of everything, sorted; files are read on use."""
        # A null build compares overlays but makes no image.
        from quard.image.content import Content  # noqa: PLC0415
        from quard.image.tree import Node  # noqa: PLC0415

        for item in self.items:
            if item.kind == "file":
                place = self.folder / item.path
                content = Content(item.size, path=place, sha256=item.text)
                yield item.path, Node("file", item.mode, content=content)
            else:
                yield item.path, Node(item.kind, item.mode, target=item.text)


def scan(name: str, folder: Path, memory: Path | None = None) -> Overlay:
    """Return the content of a folder; `name` is the overlay's name for messages.

    A few milliseconds for the default overlay: it runs in every null build.

    memory -- file with the hashes of an earlier scan (quard.base.hashes)
    Raises QuardError: overlay-missing, overlay-unreadable, overlay-file-type.
    """
    if not folder.is_dir():
        raise _missing(name, folder)
    scanned = _Scan(name, Hashes(folder, memory), [])
    items = tuple(scanned.folder(os.fspath(folder), ""))
    if scanned.wrong:
        raise together(f"overlay {name}", scanned.wrong)
    scanned.hashes.save()
    return Overlay(name, folder, items)


def _missing(name: str, folder: Path) -> QuardError:
    from quard.base.names import meant  # noqa: PLC0415 - for a wrong name only

    beside = sorted(each.name for each in folder.parent.glob("*/"))
    return QuardError(
        f"there is no overlay folder {name!r}",
        reason="overlay-missing",
        hint=meant(
            folder.name, beside, "create the folder, or remove it from the board's `overlays`"
        ),
    )


@record
class _Scan(Record):
    """One scan of an overlay; items that cannot be in an image are added to `wrong`."""

    name: str
    hashes: Hashes
    wrong: list[QuardError]

    def folder(self, folder: str, prefix: str) -> Iterator[Item]:
        """Yield the content of a folder, at any depth, sorted."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            self._unreadable(prefix.rstrip("/") or ".", error)
            return
        for entry in found:
            path = prefix + entry.name
            try:
                item = self._item(path, entry)
            except OSError as error:
                self._unreadable(path, error)
                continue
            if item is not None:
                yield item
                if item.kind == "directory":
                    yield from self.folder(entry.path, f"{path}/")

    def _item(self, path: str, entry: os.DirEntry[str]) -> Item | None:
        status = entry.stat(follow_symlinks=False)
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            # A folder inherits the set-group bit and access lists from its parent.
            given = tuple(a for a in attributes(entry.path) if a != ACCESS_LIST)
            return Item(path, "directory", 0o755, special=mode & stat.S_ISVTX, attributes=given)
        if _IGNORED.match(entry.name):
            return None
        if stat.S_ISLNK(mode):
            return Item(path, "link", 0o777, os.readlink(entry.path))
        if stat.S_ISREG(mode):
            return Item(
                path,
                "file",
                0o755 if mode & stat.S_IXUSR else 0o644,
                self.hashes.of(path, status),
                status.st_size,
                mode & _SPECIAL,
                attributes(entry.path),
            )
        error = QuardError(
            f"overlay {self.name}: {short(path)} is not a file, folder or link",
            reason="overlay-file-type",
            hint="remove it; devices belong in the system's table",
        )
        self.wrong.append(error)
        return None

    def _unreadable(self, path: str, error: OSError) -> None:
        wrong = QuardError(
            f"overlay {self.name}: {short(path)} cannot be read",
            detail=error.strerror or str(error),
            reason="overlay-unreadable",
            hint="make it readable for this user",
        )
        self.wrong.append(wrong)
