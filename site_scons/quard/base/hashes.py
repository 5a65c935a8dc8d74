"""SHA-256 of files, cached with their stat data: a file is read once per change."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from quard.base import canonical
from quard.base.files import file_sha256, replace

GRAIN = 2_000_000_000
"""Nanoseconds: the coarsest time stamps of file systems in use. A file written this shortly before
it was read may have been written again with the same time stamp."""

_VERSION = 2


class Hashes:
    """Hashes of the files below one folder, for one scan.

    A file whose size, inode, modification and change time are unchanged since the last scan is
    not read again, unless it was written within `GRAIN` of that scan (git's index handles "racy
    git" the same way).

    memory -- file that keeps the hashes between scans; None: every file is read
    """

    def __init__(self, folder: Path, memory: Path | None) -> None:
        self._folder = folder
        self._memory = memory
        self._known = self._recall()
        self._stamps: dict[str, list[int | str]] = {}
        self._taken = time.time_ns()

    def of(self, path: str, status: os.stat_result) -> str:
        """Return the hash of the file `path` below the folder; `status` was taken just before."""
        stamp = [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]
        before = self._known.get(path)
        if before is not None and before[:4] == stamp:
            sha256 = str(before[4])
        else:
            sha256 = file_sha256(self._folder / path)
        if max(stamp[2:]) < self._taken - GRAIN:
            self._stamps[path] = [*stamp, sha256]
        return sha256

    def save(self) -> None:
        """Save the hashes that this scan used for the next one, if any is new.

        A full disk only makes the next scan slower.
        """
        if self._memory is None or self._stamps == self._known:
            return
        value = {"version": _VERSION, "folder": str(self._folder), "files": self._stamps}
        with contextlib.suppress(OSError):
            replace(self._memory, canonical.sealed(value).encode("ascii"))

    def _recall(self) -> dict[str, list[int | str]]:
        """Return path -> size, inode, times and hash; empty if the memory is unusable."""
        if self._memory is None:
            return {}
        try:
            found = canonical.unsealed(self._memory.read_bytes())
        except OSError:
            found = None
        if found and (found.get("version"), found.get("folder")) == (_VERSION, str(self._folder)):
            files: dict[str, list[int | str]] = found["files"]
            return files
        return {}  # missing or damaged: everything is read again
