"""The processor time of a command and of everything that it starts.

A process passes on the time of the children that it waited for. Children of a sandbox may lose
their parent, and then nobody adds up what they used. So a command runs in a control group of its
own if one can be made; otherwise this process adopts what loses its parent, and waits for it.
"""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

_MOUNTED = re.compile(r"^\S+ \S+ \S+ / (\S+) .* - cgroup2 ", re.MULTILINE)
_OWN = re.compile(r"^0::(/.*)$", re.MULTILINE)
_ENTER = 'echo $$ >"$0" && exec "$@"'
_ADOPT = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""
_PATIENCE = 5.0
"""Seconds for what outlives its command."""


class Account(Protocol):
    """Adds up what one command uses.

    how -- the way in which it does
    """

    how: str

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command that is to be started instead."""
        ...

    def close(self, waited: float) -> float:
        """Return the seconds, once the command has ended.

        waited -- seconds of the command and of all that it waited for
        """
        ...


@contextmanager
def opened(*, group: bool = True) -> Iterator[Account]:
    """Open an account for one command; nothing is left of it, whatever happens.

    group -- a control group may be made
    """
    folder = _new_group() if group else None
    if folder is None:
        _adopt(yes=True)
        try:
            yield _Adopting()
        finally:
            _adopt(yes=False)
        return
    try:
        yield _Group(folder)
    finally:
        _remove(folder)


class _Group:
    """Counts by a control group (cgroup v2, cpu.stat)."""

    how = "cgroup"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def command(self, words: Sequence[str]) -> list[str]:
        return ["/bin/sh", "-c", _ENTER, str(self._folder / "cgroup.procs"), *words]

    def close(self, waited: float) -> float:
        del waited
        rows = (row.split() for row in (self._folder / "cpu.stat").read_text().splitlines())
        return int(dict(rows)["usage_usec"]) / 1e6


class _Adopting:
    """Counts what it waits for, which is everything that loses its parent."""

    how = "wait4"

    def __init__(self) -> None:
        self._others = _children()

    def command(self, words: Sequence[str]) -> list[str]:
        return list(words)

    def close(self, waited: float) -> float:
        end = time.monotonic() + _PATIENCE
        while (left := _children() - self._others) and time.monotonic() < end:
            for pid in left:
                found, _, used = os.wait4(pid, os.WNOHANG)
                if found:
                    waited += used.ru_utime + used.ru_stime
            time.sleep(0.01)
        return waited


def _adopt(*, yes: bool) -> None:
    """Have this process become the parent of what loses its own below it, or no longer."""
    if ctypes.CDLL(None, use_errno=True).prctl(_ADOPT, int(yes), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _children() -> set[int]:
    """Return this process' children (proc(5); every thread has its own list)."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(word) for path in lists for word in path.read_text().split()}


def _new_group() -> Path | None:
    """Make a control group below this process' own one; None where that is not allowed."""
    mounted = _MOUNTED.search(Path("/proc/self/mountinfo").read_text())
    own = _OWN.search(Path("/proc/self/cgroup").read_text())
    if mounted is None or own is None:
        return None
    folder = Path(mounted[1] + own[1]) / f"quardroot-bench-{os.getpid()}"
    try:
        folder.mkdir(exist_ok=True)
        # Whether a process may enter it depends on more folders than this one.
        used = os.access(folder / "cpu.stat", os.R_OK) and _can_enter(folder)
    except OSError:
        return None
    if not used:
        _remove(folder)
        return None
    return folder


def _can_enter(folder: Path) -> bool:
    words = ("/bin/sh", "-c", f"{{ {_ENTER}; }} 2>/dev/null", str(folder / "cgroup.procs"), "true")
    return os.spawnv(os.P_WAIT, words[0], words) == 0


def _remove(folder: Path) -> None:
    """Remove a control group, and end what is still in it."""
    end = time.monotonic() + _PATIENCE
    while folder.exists() and time.monotonic() < end:
        with suppress(OSError):  # it has processes: they are killed, and take a moment
            folder.rmdir()
            return
        with suppress(OSError):
            (folder / "cgroup.kill").write_text("1")
        time.sleep(0.01)
