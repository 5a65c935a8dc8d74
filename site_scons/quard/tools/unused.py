"""Removing what no build has used for a while: roots, packages, compiled modules, downloads.

A root counts as used when a build asks for it; the time is that of its description. Everything here
can be downloaded and made again, so a mistake costs only time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Set
from pathlib import Path

from quard.base.record import Record, record
from quard.tools import listing, whole

UNUSED = 30 * 24 * 3600
"""Seconds after which a root is removed that no build has asked for."""
UNFINISHED = 24 * 3600
"""Seconds for which a package, or its modules, stays that no root has: a build may be about to make
one of it."""
_FOLDERS = ("bytecode", "packages", "roots")


@record
class Removed(Record):
    """What was removed; `size` is the number of bytes in files that nothing else links to.

    modules -- folders with the compiled modules of a package
    """

    roots: int
    packages: int
    modules: int
    downloads: int
    size: int


def remove(folder: Path, now: float, *, dry: bool = False) -> Removed:
    """Remove what is unused below the folder of all packages and roots.

    If another process is doing so, this one waits.

    now -- seconds since the epoch
    dry -- remove nothing, and tell what would be removed
    Raises OSError.
    """
    if not folder.is_dir():
        return Removed(0, 0, 0, 0, 0)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return _remove(folder, now, dry=dry)
    finally:
        os.close(handle)


def _remove(folder: Path, now: float, *, dry: bool) -> Removed:
    roots = [path for path in _roots(folder) if _age(_used(path), now) > UNUSED]
    kept = {name for path in _roots(folder) if path not in roots for name in _parts(path)}
    packages = _unneeded(folder / "packages", kept, now)
    modules = _unneeded(folder / "bytecode", kept, now)
    downloads = [path for path in _downloads(folder) if _age(path, now) > UNUSED]
    size = sum(map(_size, (*packages, *modules))) + sum(path.stat().st_size for path in downloads)
    if not dry:
        for path in _left(folder, now):
            path.unlink(missing_ok=True)
        for path in roots:
            # The description last: it is what leads a later run to a root.
            whole.discard(path)
            _description(path).unlink(missing_ok=True)
        for path in (*packages, *modules):
            whole.discard(path)
        for path in downloads:
            path.unlink(missing_ok=True)
    return Removed(len(roots), len(packages), len(modules), len(downloads), size)


def _roots(folder: Path) -> list[Path]:
    """Return all roots, also those of which only the folder or only the description is there."""
    found = folder / "roots"
    described = (path.with_suffix("") for path in _entries(found, ".json"))
    return sorted({*described, *_entries(found)})


def _description(root: Path) -> Path:
    return root.with_name(f"{root.name}.json")


def _used(root: Path) -> Path:
    """Return the file or folder whose time says when a root was last used."""
    description = _description(root)
    return description if description.exists() else root


def _unneeded(folder: Path, kept: Set[str], now: float) -> list[Path]:
    """Return the folders that no root has which stays, and that no build is about to use."""
    return [
        path
        for path in _entries(folder)
        if path.name not in kept and now - path.lstat().st_ctime > UNFINISHED
    ]


def _left(folder: Path, now: float) -> list[Path]:
    """Return the listings whose folders are gone."""
    found = (path for name in _FOLDERS for path in _entries(folder / name, listing.SUFFIX))
    gone = (path for path in found if not path.with_suffix("").exists())
    return [path for path in gone if _age(path, now) > UNFINISHED]


def _entries(folder: Path, suffix: str = "") -> list[Path]:
    """Return the complete entries of a folder that have a suffix, sorted."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == suffix)


def _parts(root: Path) -> Iterator[str]:
    """Yield the names of the folders that a root was made of; none without its description."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        found = json.loads(_description(root).read_text(encoding="utf-8"))
        yield from [package["sha256"] for package in found["packages"].values()]
        yield from found["bytecode"]


def _downloads(folder: Path) -> Iterator[Path]:
    for place in _entries(folder / "debs"):
        if place.is_dir():
            yield from sorted(path for path in place.iterdir() if path.suffix == ".deb")


def _age(path: Path, now: float) -> float:
    """Return how long ago a file was changed; the files' own times say nothing in a folder."""
    status = path.lstat()
    return now - (status.st_ctime if stat.S_ISDIR(status.st_mode) else status.st_mtime)


def _size(folder: Path) -> int:
    return sum(
        (Path(top) / name).lstat().st_size for top, _, names in os.walk(folder) for name in names
    )
