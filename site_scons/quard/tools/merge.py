"""Making a root of unpacked packages: hard links to their files, and the links of the layout."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.links import Circle, followed, landing
from quard.base.plain import short
from quard.store.member import EPOCH, FOLDER_MODE
from quard.tools import listing

_NO_LINK = (
    errno.EPERM,  # a file system without hard links, or somebody else's file (proc(5))
    errno.EMLINK,
    errno.EXDEV,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
)
_TIMES = (EPOCH, EPOCH)
_PROJECT = "the project's own links"
"""Stands for a package in an error."""


class Root:
    """The root being made, in the empty folder `top`; packages are given by their names.

    Two packages may both have a folder, and a file or link if it is the same in both. Paths are
    relative to the root, and none continues behind a link.
    """

    def __init__(self, top: Path) -> None:
        self._top = os.fspath(top)
        # Path -> the package that it is from.
        self._folders: dict[str, str] = {"": ""}
        self._files: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        """Path -> sha256 of each file, as the packages' listings have it."""
        self._linked = True

    @property
    def files(self) -> Mapping[str, str]:
        """Path of each file and link -> the package that it is from."""
        return self._files

    def followed(self, path: str) -> str:
        """Return where a path leads in the root after following every link; "" if nowhere."""
        try:
            return followed(path, self._text)
        except Circle:
            return ""

    def add(self, name: str, content: Path) -> None:
        """Add all files of a package, which are in a folder. Raises QuardError tools-conflict."""
        # Two packages that have the same path have the same file there.
        self.hashes |= listing.hashes(content)
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with os.scandir(content / folder) as found:
                inside = sorted(found, key=lambda entry: entry.name)
            for entry in inside:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    self._folder(path, name)
                    waiting.append(path)
                else:
                    self._file(entry, path, name)

    def link(self, links: Mapping[str, str]) -> None:
        """Make those links, path -> text, whose target is there; it may be another of them.

        Raises QuardError tools-conflict.
        """
        waiting = dict(sorted(links.items()))
        while ready := [path for path, text in waiting.items() if self._has(path, text)]:
            for path in ready:
                self._link(path, waiting.pop(path))

    def finish(self) -> None:
        """Set the modes and times of folders, which have changed until now."""
        for path in self._folders:
            os.chmod(self._at(path), FOLDER_MODE)
            os.utime(self._at(path), _TIMES)

    def _text(self, path: str) -> str | None:
        place = self._at(path)
        return os.readlink(place) if path in self._files and os.path.islink(place) else None

    def _at(self, path: str) -> str:
        return f"{self._top}/{path}"

    def _has(self, path: str, text: str) -> bool:
        target = landing(path, text)
        return target in self._files or target in self._folders

    def _folder(self, path: str, name: str) -> None:
        if path in self._folders:
            return
        if path in self._files:
            raise _conflict(path, self._files[path], name)
        os.mkdir(self._at(path))
        self._folders[path] = name

    def _file(self, entry: os.DirEntry[str], path: str, name: str) -> None:
        if path in self._folders:
            raise _conflict(path, self._folders[path], name)
        if path in self._files:
            if not _same(entry.path, self._at(path)):
                raise _conflict(path, self._files[path], name)
            return
        self._place(entry.path, self._at(path))
        self._files[path] = name

    def _link(self, path: str, text: str) -> None:
        parents = path.split("/")[:-1]
        for end in range(1, len(parents) + 1):
            self._folder("/".join(parents[:end]), _PROJECT)
        owner = self._files.get(path) or self._folders.get(path)
        if owner:
            raise _conflict(path, owner, _PROJECT)
        os.symlink(text, self._at(path))
        os.utime(self._at(path), _TIMES, follow_symlinks=False)
        self._files[path] = _PROJECT

    def _place(self, source: str, path: str) -> None:
        if self._linked:
            try:
                os.link(source, path, follow_symlinks=False)
                return
            except OSError as fault:
                if fault.errno not in _NO_LINK:
                    raise
                self._linked = fault.errno == errno.EMLINK  # that is about one file
        shutil.copy2(source, path, follow_symlinks=False)


def _same(one: str, other: str) -> bool:
    if os.path.islink(one) and os.path.islink(other):
        return os.readlink(one) == os.readlink(other)
    if os.path.islink(one) or os.path.islink(other):
        return False
    return os.stat(one).st_mode == os.stat(other).st_mode and filecmp.cmp(one, other, shallow=False)


def _conflict(path: str, one: str, other: str) -> QuardError:
    return QuardError(
        f"two packages of the pinned tools have different files at the same path: {short(path)}",
        detail=f"{one}\n{other}",
        reason="tools-conflict",
        hint="leave one of them out of the lock",
    )
