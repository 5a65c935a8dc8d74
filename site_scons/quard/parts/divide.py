"""Which files of the target go to a package's libs, and which to its programs.

`libs` is what a package brings to an image that only needs it for another package: shared libraries
and what they open, such as plugins, data and configuration. `programs` is everything else. An image
never has a package's programs without its libs.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from quard.base import links
from quard.base.errors import QuardError
from quard.parts.fold import folded
from quard.parts.stage import below, is_folder
from quard.plan.unit import LIBS, PROGRAMS, TARGET_PARTS

_PROGRAMS = ("usr/bin", "usr/libexec", "usr/sbin")
_ABOUT_PROGRAMS = (
    "etc/init.d",
    "usr/share/applications",
    "usr/share/bash-completion",
    "usr/share/fish",
    "usr/share/zsh",
)
"""Folders of files that start programs or complete their command lines."""
_LIBRARIES = "usr/lib"


def divide(
    stage: Path, paths: Sequence[str], named: Mapping[str, Sequence[str]]
) -> tuple[dict[str, tuple[str, ...]], list[QuardError]]:
    """Divide the files for the target into parts: libs, programs, and those that a recipe names.

    paths -- of the files for the target, in the order in which they are returned
    named -- part -> wildcards of a recipe, as in `split`
    A link belongs to programs if it leads to one of them, so that none dangles in an image that
    has only the libs. A folder that is listed for its mode is in each part with something in it.
    Returns an error `part-unused` if a wildcard matches nothing.
    """
    chosen, unused = _chosen(paths, named)
    folders = [path for path in paths if is_folder(stage / path) and _inside(path, paths)]
    own: dict[str, set[str]] = {name: set() for name in named if name not in TARGET_PARTS}
    for path, name in chosen.items():
        if name in own and path not in folders:
            own[name].add(path)
    files = [path for path in paths if path not in folders]
    programs = _programs(files, chosen)
    libs = set(files).difference(programs, *own.values())
    leading = {
        path
        for path in libs.difference(chosen)
        if (stage / path).is_symlink()
        and _holds(end := _end(stage, path), programs)
        and not _holds(end, libs)
    }
    programs |= leading
    libs -= leading
    parts = {LIBS: libs, PROGRAMS: programs, **own}
    for part in parts.values():
        part.update([folder for folder in folders if _inside(folder, part)])
    # What such a folder holds is not for the target.
    libs |= set(folders).difference(*parts.values())
    wrong = [_unused(unused)] if unused else []
    return {name: _in_order(paths, part) for name, part in parts.items()}, wrong


def _programs(paths: Sequence[str], chosen: Mapping[str, str]) -> set[str]:
    """Return the paths of programs, by the recipe's choice or else by their folder.

    A package without a program has only libs. What is in no telling folder, such as /etc, goes with
    the libraries if there are any: an image that lacks a file of a library fails when it runs.
    """

    def there(folder: str, parts: Collection[str | None]) -> bool:
        return any(below(path, folder) and chosen.get(path) in parts for path in paths)

    if not any(there(folder, (None, PROGRAMS)) for folder in _PROGRAMS):
        return {path for path in paths if chosen.get(path) == PROGRAMS}
    telling = (*_PROGRAMS, *_ABOUT_PROGRAMS)
    others = {None, *chosen.values()} - {PROGRAMS}
    rest = LIBS if there(_LIBRARIES, others) else PROGRAMS
    found = set()
    for path in paths:
        part = rest
        if below(path, _LIBRARIES):
            part = LIBS
        elif any(below(path, folder) for folder in telling):
            part = PROGRAMS
        if chosen.get(path, part) == PROGRAMS:
            found.add(path)
    return found


def _chosen(
    paths: Sequence[str], named: Mapping[str, Sequence[str]]
) -> tuple[dict[str, str], list[str]]:
    """Return path -> the part that a recipe names for it, and the wildcards that match nothing.

    What both parts name goes to libs, and what a part of the recipe's own names goes there.
    """
    chosen: dict[str, str] = {}
    unused = []
    for part in sorted(named, key=lambda name: (name not in TARGET_PARTS, name != PROGRAMS, name)):
        for pattern in named[part]:
            found = [path for path in paths if _matches(path, folded(pattern))]
            chosen.update(dict.fromkeys(found, part))
            if not found:
                unused.append(f"{part}: {pattern}")
    return chosen, sorted(unused)


def _matches(path: str, pattern: str) -> bool:
    """Return whether a wildcard names a path or a folder that it is in."""
    return any(fnmatch.fnmatchcase(each, pattern) for each in _upwards(path))


def _upwards(path: str) -> Iterator[str]:
    """Yield a path and the folders that it is in."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _in_order(paths: Sequence[str], chosen: Collection[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if path in chosen)


def _holds(path: str, part: Collection[str]) -> bool:
    """Return whether a part has a path or something in it."""
    return path in part or _inside(path, part)


def _inside(folder: str, paths: Collection[str]) -> bool:
    return any(path.startswith(f"{folder}/") for path in paths)


def _end(stage: Path, path: str) -> str:
    """Return the path that a link leads to in the end; itself if it is in a loop."""

    def text_of(each: str) -> str | None:
        place = stage / each
        return os.readlink(place) if place.is_symlink() else None

    try:
        return links.followed(path, text_of)
    except links.Circle:
        return path


def _unused(lines: Sequence[str]) -> QuardError:
    return QuardError(
        "a part of the recipe names files that do not exist",
        detail="\n".join(lines),
        reason="part-unused",
        hint="remove the wildcard from the recipe's parts, or correct it; only files for the"
        " target have such a part",
    )
