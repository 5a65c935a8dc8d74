"""Compressed segments that the checkouts of a user share, so that a fresh one begins with some.

For each image there is a folder with the segments of the last file that any checkout has made.
Everything in it can be made again: where it cannot be read or written, that only costs time.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Collection
from pathlib import Path

FOLDER = "segments"
"""Name of the folder of all boards' images, beside the store."""
UNUSED = 30 * 24 * 3600
"""Seconds after which the segments of an image are removed that no checkout has made."""
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)
"""Another file system, one without links, or one with a limit that is reached."""


class Lent:
    """The segments in one folder; several processes may use it at once. None: there are none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def take(self, name: str, to: Path) -> None:
        """Put a segment into a checkout's own folder, if it is there; it may be damaged."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                _place(self._folder / name, to)

    def keep_only(self, own: Path, names: Collection[str], fresh: Collection[str]) -> None:
        """Have these segments of a checkout, and no others.

        own   -- the folder that has them
        fresh -- those that were just made: what is here in their place may be damaged
        """
        if self._folder is None:
            return
        # A cache that can only be read, a full disk, another process that does the same.
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            there = set(os.listdir(self._folder))
            for name in there.difference(names).union(there.intersection(fresh)):
                (self._folder / name).unlink(missing_ok=True)
            for name in set(names).difference(there).union(fresh):
                with contextlib.suppress(FileExistsError):
                    _place(own / name, self._folder / name)
            os.utime(self._folder)  # when it was last used


def _place(source: Path, to: Path) -> None:
    """Link a file, or copy it where that is not possible; it appears whole. Raises OSError."""
    try:
        to.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        part = to.with_name(f"{to.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(source, part)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)


def remove_unused(folder: Path, now: float, *, dry: bool = False) -> int:
    """Remove the folders of images that no checkout has made for a while; return how many.

    folder -- what is above all of them
    now    -- seconds since the epoch
    dry    -- remove nothing, and return how many would be removed
    Raises OSError.
    """
    found = 0
    for place, folders, files in os.walk(folder, topdown=False):
        # Another process may do the same, or make an image.
        with contextlib.suppress(FileNotFoundError):
            if files and now - os.stat(place).st_mtime > UNUSED:
                if not dry:
                    shutil.rmtree(place)
                found += 1
        if not (files or folders or dry):
            with contextlib.suppress(OSError):
                os.rmdir(place)
    return found
