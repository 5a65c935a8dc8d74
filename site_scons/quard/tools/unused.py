"""Removing what no build has used for a while: roots, their packages, downloads.

A root counts as used when a build asks for it; the time is that of its description. Everything here
can be downloaded and made again, so a mistake costs only time.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quard.tools import whole

UNUSED = 30 * 24 * 3600
"""Seconds after which a root is removed that no build has asked for."""
UNFINISHED = 24 * 3600
"""Seconds for which a package stays that no root has: a build may be about to make one of it."""


@dataclass(frozen=True)
class Removed:
    """What was removed; `size` is the number of bytes in files that nothing else links to."""

    roots: int
    packages: int
    downloads: int
    size: int


def remove(folder: Path, now: float, *, dry: bool = False) -> Removed:
    """Remove what is unused below the folder of all packages and roots.

    now -- seconds since the epoch
    dry -- remove nothing, and tell what would be removed
    Raises OSError.
    """
    roots = [path for path in _entries(folder / "roots", ".json") if _age(path, now) > UNUSED]
    kept = {
        sha256
        for path in _entries(folder / "roots", ".json")
        if path not in roots
        for sha256 in _packages(path)
    }
    packages = [
        path
        for path in _entries(folder / "packages")
        if path.name not in kept and now - path.stat().st_ctime > UNFINISHED
    ]
    downloads = [path for path in _downloads(folder) if _age(path, now) > UNUSED]
    size = sum(map(_size, packages)) + sum(path.stat().st_size for path in downloads)
    if not dry:
        for path in roots:
            # The description last: it is what leads a later run to a root.
            whole.discard(path.with_suffix(""))
            path.unlink(missing_ok=True)
        for path in packages:
            whole.discard(path)
        for path in downloads:
            path.unlink(missing_ok=True)
    return Removed(len(roots), len(packages), len(downloads), size)


def _entries(folder: Path, suffix: str = "") -> list[Path]:
    """Return the complete entries of a folder that have a suffix, sorted."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == suffix)


def _packages(description: Path) -> Iterator[str]:
    """Yield the sha256 of each package of a root; none if its description is damaged."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        found = json.loads(description.read_text(encoding="utf-8"))
        yield from [package["sha256"] for package in found["packages"].values()]


def _downloads(folder: Path) -> Iterator[Path]:
    for place in _entries(folder / "debs"):
        if place.is_dir():
            yield from sorted(path for path in place.iterdir() if path.suffix == ".deb")


def _age(path: Path, now: float) -> float:
    return now - path.stat().st_mtime


def _size(folder: Path) -> int:
    return sum(
        (Path(top) / name).lstat().st_size for top, _, names in os.walk(folder) for name in names
    )
