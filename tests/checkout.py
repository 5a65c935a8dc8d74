"""This checkout, and copies of it that may be changed and built."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


def scons(*arguments: str) -> list[str]:
    """Return the command that ./scons becomes when everything is ready."""
    return [sys.executable, "-P", "-m", "SCons", "-Q", *arguments]


def link(to: Path) -> None:
    """Make a project of links to the checkout's files, whose boards are its own."""
    (to / "configs").mkdir(parents=True)
    for name in ("SConstruct", "packages", "qemu", "rootfs", "site_scons"):
        (to / name).symlink_to(TOP / name)


def files() -> list[str]:
    """Return the paths of the checkout's files as they are now, without what git ignores."""
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=TOP,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = filter(None, listed.split("\0"))
    return [name for name in names if (TOP / name).is_symlink() or (TOP / name).exists()]


def copy(to: Path) -> None:
    """Copy the checkout's files."""
    for name in files():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TOP / name, to / name, follow_symlinks=False)
