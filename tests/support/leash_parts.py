"""For the tests of leashes: processes by what their command line names."""

from __future__ import annotations

import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BOUND = 10.0
"""Seconds within which everything that a command started must be gone."""


def naming(text: Path) -> list[int]:
    """Return the processes, dead ones excepted, whose command line has this path in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            if os.fsencode(text) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def status(pid: int) -> str:
    """Return what proc_pid_status(5) says, nothing for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""
