"""The processes `sleep` that a test has started: they have a number of seconds of their own."""

from __future__ import annotations

import os
from pathlib import Path


def own(seconds: int) -> str:
    """Return a number of seconds, a little more, for which no other test process sleeps."""
    return f"{seconds}.{os.getpid()}"


def sleeping(seconds: float | str) -> list[int]:
    """Return the numbers of each `sleep` of so many seconds that runs anywhere on this machine."""
    wanted, found = ["sleep", str(seconds)], []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:  # it has ended
                continue
            if words[:-1][-2:] == wanted:
                found.append(int(folder.name))
    return found
