"""Removing staged files that are not wanted: documentation, and what the recipe drops."""

from __future__ import annotations

import fnmatch
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.parts.fold import folded
from quard.parts.stage import is_folder

_DOCUMENTATION = tuple(f"usr/share/{name}" for name in ("doc", "gtk-doc", "help", "info", "man"))
_UNWANTED = (*_DOCUMENTATION, "*.la")


def remove_unwanted(
    stage: Path, paths: Collection[str], patterns: Sequence[str]
) -> list[QuardError]:
    """Remove documentation, unused files, and files that match the recipe's wildcards.

    paths    -- all files for the target, after moving below usr
    patterns -- wildcards as in `split`
    Returns an error `drop-unused` if a wildcard matches nothing.
    """
    wanted: set[str] = set()
    unused = []
    for pattern in patterns:
        found = {path for path in paths if fnmatch.fnmatchcase(path, folded(pattern))}
        wanted |= found
        if not found:
            unused.append(pattern)
    for pattern in _UNWANTED:
        wanted |= {path for path in paths if fnmatch.fnmatchcase(path, pattern)}
    for path in sorted(wanted):
        remove(stage, path)
    return [_unused(unused)] if unused else []


def _unused(patterns: Sequence[str]) -> QuardError:
    return QuardError(
        "the recipe drops files that do not exist",
        detail="\n".join(patterns),
        reason="drop-unused",
        hint="remove the wildcard from the recipe's drop, or correct it",
    )


def remove(stage: Path, path: str) -> None:
    """Remove a path and the folders that it leaves empty."""
    place = stage / path
    if not os.path.lexists(place):
        return
    if is_folder(place):
        shutil.rmtree(place)
    else:
        place.unlink()
    for parent in place.parents:
        if parent == stage or any(parent.iterdir()):
            return
        parent.rmdir()
