"""Python's compiled modules (.pyc): without them, the target compiles at each start.

The header says how Python checks that the source is unchanged (PEP 552): by the source's time and
size, or by a hash of its content. Installed files have one fixed time, so the time is wrong on the
target and does not reveal an edit; the hash is right, and the same in every build. Python writes
hashes if SOURCE_DATE_EPOCH is set, as it is in builds.

Modules with a hash are kept, and the hash is always checked: a source that an overlay or a user on
the target replaces takes effect. Modules with a further optimisation (.opt-1, .opt-2) are for
python -O, which compiles them itself. A module without its source is kept: it is the only copy.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from quard.parts.drop import remove
from quard.parts.stage import is_file

_HEADER = 16
"""Bytes: a magic number, flags, and the time and size of the source, or its hash."""
_HASHED, _CHECKED = 1, 2
_CACHED = re.compile(r"(?P<module>[^.]+)\.[a-z]+-?\d+[^.]*(?P<optimised>\.opt-[^.]+)?\.pyc\Z")
_FOLDER = "__pycache__"


def settle(
    stage: Path, paths: Iterable[str], corrected: Collection[str], marker: str
) -> dict[str, str]:
    """Correct compiled modules for the target; return those to remove, and why.

    paths     -- of the staging folder
    corrected -- sources that were changed after they were compiled
    marker    -- text that no installed file may hold, or ""
    """
    gone: dict[str, str] = {}
    for path in paths:
        place = stage / path
        if not path.endswith(".pyc") or not is_file(place):
            continue
        data = bytearray(place.read_bytes())
        why = _useless(stage, path, bytes(data), corrected, marker)
        if why:
            gone[path] = why
            continue
        old = bytes(data[:_HEADER])
        if data[4] & _HASHED:
            data[4] |= _CHECKED
        else:  # without its source: the time is never compared
            data[8:12] = bytes(4)
        if old != data[:_HEADER]:
            place.write_bytes(data)
    for path in gone:
        remove(stage, path)
    return gone


def _useless(stage: Path, path: str, data: bytes, corrected: Collection[str], marker: str) -> str:
    """Return why Python on the target cannot use a compiled module; empty if it can."""
    folder, name = PurePosixPath(path).parent, PurePosixPath(path).name
    if len(data) <= _HEADER or data[2:4] != b"\r\n":
        return "it is not a compiled module"
    if folder.name != _FOLDER:
        beside = (stage / folder / name).with_suffix(".py")
        return "Python does not look for it beside its source" if beside.exists() else ""
    cached = _CACHED.match(name)
    if cached is None:
        return "its name is not one that Python looks for"
    source = str(folder.parent / f"{cached['module']}.py")
    if not (stage / source).is_file():
        return "its source is not installed"
    if cached["optimised"]:
        return "only python -O looks for it"
    if not data[4] & _HASHED:
        return "it records the time of its source, which differs on the target"
    if source in corrected:
        return "paths in its source were corrected"
    return "it contains paths of the build's folders" if marker and marker.encode() in data else ""
