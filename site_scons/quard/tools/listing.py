"""What a folder of pinned tools must hold, in a file beside it, so that damage is noticed.

Files may be lost to whatever removes old files, or be changed through one of their hard links. The
quick look compares names, kinds, sizes, modes and times: files have the time that was set when they
were unpacked. The thorough one reads their content as well.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.files import file_sha256, replace
from quard.base.plain import short
from quard.store.member import EPOCH

SUFFIX = ".files"
FILE, FOLDER, LINK, SPECIAL = "file", "folder", "link", "special file"
_TIME = EPOCH * 10**9

Look = Callable[[Path], str]
"""Returns what differs in a folder from its listing; "" if nothing does."""
Entry = list[Any]
"""Kind; then mode, size and sha256 of a file, the mode of a folder, the text of a link."""


def beside(place: Path) -> Path:
    """Return where the listing of a folder is."""
    return place.with_name(f"{place.name}{SUFFIX}")


def write(place: Path, folder: Path, hashes: Mapping[str, str]) -> None:
    """Write the listing of what will be the folder `place`. Raises OSError.

    folder -- where its content is now
    hashes -- path -> sha256 of each file
    """
    known: dict[str, Entry] = {}
    for path, status in _entries(os.fspath(folder)):
        entry = _observed(f"{folder}/{path}", status)
        known[path] = [*entry, hashes[path]] if entry[0] == FILE else entry
    replace(beside(place), canonical.sealed({"entries": known}).encode("ascii"))


def hashes(place: Path) -> dict[str, str]:
    """Return path -> sha256 of each file that a folder must hold. Raises OSError."""
    return {path: entry[3] for path, entry in entries(place).items() if entry[0] == FILE}


def quick(place: Path) -> str:
    """Return what differs in a folder without reading its files; see `Look`."""
    return _said(place, lambda _path, _status: "")


class Thorough:
    """A `Look` that reads each file, once however many folders have links to it."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], str] = {}

    def __call__(self, place: Path) -> str:
        return _said(place, self._sha256)

    def _sha256(self, path: str, status: os.stat_result) -> str:
        key = (status.st_dev, status.st_ino, status.st_ctime_ns)
        if key not in self._known:
            self._known[key] = file_sha256(Path(path))
        return self._known[key]


def _said(place: Path, sha256: Callable[[str, os.stat_result], str]) -> str:
    try:
        found = sorted(_differences(place, entries(place), sha256))
    except OSError as fault:
        return f"{fault.filename or place}: {fault.strerror or fault}"
    if not found:
        return ""
    path, what = found[0]
    others = len(found) - 1
    more = f", and {others} other{'' if others == 1 else 's'}" if others else ""
    return f"{short(path)} {what}{more}"


def _differences(
    place: Path, known: dict[str, Entry], sha256: Callable[[str, os.stat_result], str]
) -> Iterator[tuple[str, str]]:
    """Yield each path that differs, and how.

    sha256 -- returns the hash of a file; "": its content is not compared
    """
    top = os.fspath(place)
    for path, status in _entries(top):
        expected = known.pop(path, None)
        full = f"{top}/{path}"
        found = _observed(full, status)
        if expected is None:
            yield path, "does not belong there"
        elif found[0] != expected[0]:
            yield path, f"is a {found[0]}, not a {expected[0]}"
        elif found[0] == LINK and found != expected:
            yield path, "leads to another place"
        elif found[1] != expected[1]:
            yield path, "has another mode"
        elif found[0] == FILE and (found[2] != expected[2] or status.st_mtime_ns != _TIME):
            yield path, "has been changed"
        elif found[0] == FILE and sha256(full, status) not in ("", expected[3]):
            yield path, "has other content"
    yield from ((path, "is missing") for path in known)


def _entries(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield each file and folder below a folder, by its path in there. Raises OSError."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(f"{top}/{folder}") as found:
            for entry in found:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                yield path, entry.stat(follow_symlinks=False)


def _observed(path: str, status: os.stat_result) -> Entry:
    """Return an entry without its sha256."""
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return [FILE, stat.S_IMODE(mode), status.st_size]
    if stat.S_ISDIR(mode):
        return [FOLDER, stat.S_IMODE(mode)]
    return [LINK, os.readlink(path)] if stat.S_ISLNK(mode) else [SPECIAL, stat.S_IMODE(mode)]


def entries(place: Path) -> dict[str, Entry]:
    """Return path -> entry of all that a folder must hold, each folder before what it has.

    Raises OSError, also if the listing is damaged.
    """
    path = beside(place)
    found = canonical.unsealed(path.read_bytes())
    if found is None:
        raise OSError(f"{path.name} is damaged")
    known: dict[str, Entry] = found["entries"]
    return known
