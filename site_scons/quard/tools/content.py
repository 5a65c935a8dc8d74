"""Unpacking what a root holds of a package into a folder, without trusting the package.

Everything goes into a new folder that nothing else writes to, and no member may be reached through
a link, so checking names is enough. Links keep their texts, absolute or not: they are meant inside
of a root. The result depends on the package alone: owners, times and the umask are ignored.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from quard.base.plain import short
from quard.sources.members import Bad, Stream, Unsafe
from quard.store.member import EPOCH, FOLDER_MODE, normal_mode
from quard.tools import deb as package
from quard.tools.deb import Entry

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_RIGHTS = 0o777
_TIMES = (EPOCH, EPOCH)


def unpack(deb: Path, into: Path, check: Callable[[], None] = lambda: None) -> Mapping[str, str]:
    """Unpack what a root holds of a package into the empty folder `into`.

    Return path -> sha256 of each file.

    check -- called before each member; an exception from it ends the unpacking
    After an error `into` is incomplete. Raises QuardError bad-deb; OSError if the system refuses.
    """
    content = _Content(os.fspath(into))
    with package.refused(deb), closing(package.contents(deb)) as found:
        for entry, stream in found:
            check()
            content.add(entry, stream)
        content.finish()
    return content.hashes


class _Content:
    """The folder being filled. Paths are relative to it, normalized, and contain no links."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._kinds: dict[str, str] = {"": "folder"}
        self.hashes: dict[str, str] = {}

    def add(self, entry: Entry, stream: Stream) -> None:
        if entry.kind == "folder":
            self._folder(entry.path)
            return
        self._folder(entry.path.rpartition("/")[0])
        if entry.path in self._kinds:
            raise Bad(f"{short(entry.path)}: two files of the same name")
        if entry.kind == "file":
            self._file(entry, stream)
        elif entry.kind == "link":
            os.symlink(entry.target, self._at(entry.path))
            os.utime(self._at(entry.path), _TIMES, follow_symlinks=False)
        elif self._kinds.get(entry.target) in ("file", "hard link"):
            os.link(self._at(entry.target), self._at(entry.path))
            self.hashes[entry.path] = self.hashes[entry.target]
        else:
            raise Bad(f"{short(entry.path)}: a hard link to {short(entry.target)}, no file before")
        self._kinds[entry.path] = entry.kind

    def finish(self) -> None:
        """Set the modes and times of folders, which have changed until now."""
        for path, kind in self._kinds.items():
            if kind == "folder":
                os.chmod(self._at(path), FOLDER_MODE)
                os.utime(self._at(path), _TIMES)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _folder(self, path: str) -> None:
        kind = self._kinds.get(path)
        if kind == "folder":
            return
        if kind == "link":
            raise Unsafe(f"{short(path)}: a path that continues behind a link")
        if kind:
            raise Bad(f"{short(path)}: a file and a folder of the same name")
        self._folder(path.rpartition("/")[0])
        os.mkdir(self._at(path))
        self._kinds[path] = "folder"

    def _file(self, entry: Entry, stream: Stream) -> None:
        descriptor = os.open(self._at(entry.path), _CREATE, 0o600)
        sha256 = hashlib.sha256()
        try:
            for piece in stream.pieces(entry.size):
                sha256.update(piece)
                view = piece
                while view:
                    view = view[os.write(descriptor, view) :]
            os.fchmod(descriptor, normal_mode(entry.mode, folder=False) & _RIGHTS)
            os.utime(descriptor, _TIMES)
        finally:
            os.close(descriptor)
        self.hashes[entry.path] = sha256.hexdigest()
