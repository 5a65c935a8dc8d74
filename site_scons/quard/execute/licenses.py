"""The licence files of a package's source: checking that they exist, and their hashes.

Upstream's own archive must have all files that the recipe names. Another archive of the same
release, or a local tree, may lack some, for example if a distribution repacked it without
documents: the record notes this.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.files import file_sha256
from quard.base.names import nearest
from quard.base.plain import one_line

_LIKELY = re.compile(r"licen[cs]|copying|copyright|notice|unlicense", re.IGNORECASE)
_DEPTH = 3
_NEAR = 5
"""How many names are suggested for a missing file."""


def hashes(src: Path, wanted: Sequence[str]) -> dict[str, str | None]:
    """Return each of the wanted files with its SHA-256, or None if the source has no such file.

    src    -- the unpacked source
    wanted -- paths below it
    """
    return {path: file_sha256(src / path) if _within(src, path) else None for path in wanted}


def require(name: str, src: Path, found: Mapping[str, str | None]) -> None:
    """Raise QuardError license-file-missing if one of the files is not in the source.

    name  -- of the package, with its version
    found -- as `hashes` returns it
    """
    missing = [path for path, sha256 in found.items() if sha256 is None]
    if not missing:
        return
    there = sorted(_files(src, src, _DEPTH))
    lines = []
    for path in missing:
        near = _near(path, there)
        hint = f"; similar names: {', '.join(near)}" if near else ""
        what = "is not a file" if os.path.lexists(src / path) else "is not in the source"
        lines.append(one_line(f"{path} {what}{hint}"))
    if len(missing) == len(found) and not any(_near(path, there) for path in missing):
        top = sorted(path.name for path in src.iterdir())
        lines.append(one_line(f"the source has {', '.join(top[:20])}{', ...' * (len(top) > 20)}"))
    raise QuardError(
        f"{name}: the recipe names licence files that the source does not have",
        detail="\n".join(lines),
        reason="license-file-missing",
        hint="correct the recipe's `license_files`",
    )


def _within(src: Path, path: str) -> bool:
    """Return whether a path is a file of the source, following links."""
    place = src / path
    return place.is_file() and place.resolve().is_relative_to(src.resolve())


def _files(src: Path, folder: Path, depth: int) -> Iterator[str]:
    """Yield the paths of files, at most `depth` folders deep."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield os.path.relpath(entry.path, src)
            elif depth > 1 and entry.is_dir(follow_symlinks=False):
                yield from _files(src, Path(entry.path), depth - 1)


def _near(path: str, there: Sequence[str]) -> list[str]:
    """Return likely alternatives: files of the same or a similar name, or likely licences."""
    name = path.rpartition("/")[2].lower()
    same = [other for other in there if other.rpartition("/")[2].lower() == name]
    similar = nearest(path, there, alike=0.75, count=_NEAR)
    likely = [other for other in there if _LIKELY.search(other.rpartition("/")[2])]
    likely.sort(key=lambda other: (other.count("/"), other))
    return list(dict.fromkeys([*same, *similar, *likely]))[:_NEAR]
