"""The paths of a staging folder."""

from __future__ import annotations

import os
import posixpath
import stat
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
