"""Telling whether a file was written."""

from __future__ import annotations

from pathlib import Path


def written(path: Path) -> tuple[int, int]:
    """Return what changes when a file is written, but not when it is read, as its access time."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns
