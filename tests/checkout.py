"""This checkout, and copies of it that may be changed and built."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


def copy(to: Path) -> None:
    """Copy the checkout's files as they are now, without what git ignores."""
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=TOP,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (TOP / name).is_symlink() or (TOP / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, to / name, follow_symlinks=False)
