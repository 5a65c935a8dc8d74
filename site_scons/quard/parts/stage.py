"""The paths of a staging folder."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path


def everything(root: Path, folder: str = "") -> list[str]:
    """Return all paths below `root`, or below a folder of it; folders before their content."""
    found = []
    with os.scandir(root / folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = posixpath.join(folder, entry.name)
            found.append(path)
            if entry.is_dir(follow_symlinks=False):
                found += everything(root, path)
    return found


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder itself, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def is_file(path: Path) -> bool:
    """Return whether a path is a regular file itself. Raises FileNotFoundError."""
    return stat.S_ISREG(path.lstat().st_mode)


def below(path: str, folder: str) -> bool:
    """Return whether a path is a folder or something in it, by name."""
    return path == folder or path.startswith(f"{folder}/")


def separate(stage: Path, paths: Iterable[str], content: Callable[[str], Hashable]) -> None:
    """Make several files of one whose names are about to get different contents.

    content -- returns what decides a path's content; names for which it is equal stay one file
    """
    names: dict[int, list[str]] = {}
    for path in paths:
        status = (stage / path).lstat()
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            names.setdefault(status.st_ino, []).append(path)
    for several in names.values():
        files: dict[Hashable, Path] = {}
        for path in several:
            place, one = stage / path, content(path)
            if files and one not in files:
                part = place.with_name(f"{place.name}.part")
                shutil.copy2(place, part)
                part.replace(place)
            elif one in files and not place.samefile(files[one]):
                place.unlink()
                place.hardlink_to(files[one])
            files.setdefault(one, place)
