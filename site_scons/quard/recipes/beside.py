"""The files beside a recipe, and in folders that add files to one."""

from __future__ import annotations

import os
import re
from fnmatch import translate

from quard.base.errors import QuardError
from quard.base.plain import short

LEFTOVER = re.compile("|".join(map(translate, (".*", "*~", "#*#", "*.orig", "*.rej"))))
"""Leftover files of editors and patch(1): never part of a recipe."""


def beside(shown: str, folder: str) -> tuple[str, ...]:
    """Return the names of a recipe's files, sorted.

    shown -- the folder's name in messages
    The folder itself may be a link; links in it must not lead out of it. Raises QuardError.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_symlink() and not LEFTOVER.match(entry.name):
            require_inside(shown, folder, entry.name)
    # A patch that is a dangling link is listed as well: reading it must fail.
    return tuple(e.name for e in entries if e.is_file() or e.name.endswith(".patch"))


def require_inside(shown: str, folder: str, file: str) -> None:
    inside = os.path.join(os.path.realpath(folder), "")
    place = f"{folder}/{file}"
    real = os.path.realpath(place)
    if not real.startswith(inside):
        target = short(os.readlink(place) if os.path.islink(place) else real)
        raise QuardError(
            f"{shown}/{file} is a link that points out of the recipe's folder",
            detail=f"it points to {target}",
            reason="recipe-link",
            hint="replace it with a copy; a link in place of the whole folder is followed",
        )
