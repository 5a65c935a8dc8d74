"""Processes of a build: its descendants, also those that were handed over to us."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER, prctl(2)."""
_POLL = 0.02


@dataclass(frozen=True)
class Process:
    """One line of the process table; `text` is its command line."""

    pid: int
    parent: int
    state: str
    name: str
    text: str


def table() -> dict[int, Process]:
    """Return every process of the machine that can be seen, proc_pid_stat(5)."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdecimal():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text(errors="replace")
            text = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        name = stat.partition("(")[2].rpartition(")")[0]
        state, parent = stat.rpartition(")")[2].split()[:2]
        pid = int(entry)
        found[pid] = Process(pid, int(parent), state, name, text.decode(errors="replace")[:300])
    return found


def below(root: int) -> list[Process]:
    """Return the living descendants of a process, parents first."""
    known = table()
    children: dict[int, list[Process]] = {}
    for process in known.values():
        children.setdefault(process.parent, []).append(process)
    found, pending = [], [root]
    while pending:
        for process in sorted(children.get(pending.pop(0), ()), key=lambda p: p.pid):
            pending.append(process.pid)
            if process.state not in "ZX":
                found.append(process)
    return found


@contextmanager
def adopting() -> Iterator[None]:
    """Have orphans handed over to this process, so that none of them gets out of sight."""
    before = frozenset(table())
    _subreaper(1)
    try:
        yield
    finally:
        _subreaper(0)
        _collect(before)


def _subreaper(value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SUBREAPER, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def left(before: frozenset[int], seconds: float) -> list[Process]:
    """Return the processes below us that are still there after so many seconds.

    before -- those that have nothing to do with the build
    """
    deadline = time.monotonic() + seconds
    while True:
        _collect(before)
        found = [p for p in below(os.getpid()) if p.pid not in before]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(_POLL)


def finish(processes: list[Process]) -> None:
    """Kill what should have ended by itself."""
    for process in processes:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _collect(before: frozenset[int]) -> None:
    """Take the dead that were handed over to us off the process table."""
    for process in table().values():
        if process.parent == os.getpid() and process.state == "Z" and process.pid not in before:
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                continue
