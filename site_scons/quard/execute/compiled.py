"""The folder of compiled files that ccache keeps: its size over all packages, and what is old.

ccache bounds the folder of each package. A file counts as used when ccache has written or found it:
both set its modification time. One that is removed is compiled again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from quard.base.record import Record, record

_UNUSED = 90 * 24 * 3600
"""Seconds after which a file is removed that nothing has used."""
_OWN = ("stats", "CACHEDIR.TAG")
"""Files of ccache that are no compiled ones."""


@record
class Removed(Record):
    """What was removed; sizes are bytes."""

    files: int
    freed: int
    left: int


def shrink(folder: Path, limit: int, now: float, *, dry: bool = False) -> Removed:
    """Remove what was used least recently until the rest has at most `limit` bytes.

    now -- seconds since the epoch
    dry -- remove nothing, and tell what would be removed
    Raises OSError.
    """
    found = sorted((s.st_mtime, str(path), s.st_size) for path, s in _files(folder))
    left, files = sum(size for _, _, size in found), 0
    total = left
    for used, path, size in found:
        if left <= limit and used > now - _UNUSED:
            break
        files, left = files + 1, left - size
        if not dry:
            Path(path).unlink(missing_ok=True)
    return Removed(files, total - left, left)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for top, _, names in os.walk(folder):
        for path in (Path(top) / name for name in names if name not in _OWN):
            try:
                yield path, path.lstat()
            except FileNotFoundError:
                continue  # ccache of another build has removed it
