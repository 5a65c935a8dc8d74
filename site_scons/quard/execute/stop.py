"""Ending a run from outside: one flag that the steps look at, and the commands that must go."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from quard.errors import QuardError

REASON = "interrupted"


class Stop:
    """Shared by all builds of one run; `request` may be called from a signal handler."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        # Reentrant: the handler runs in whatever the main thread was doing.
        self._lock = threading.RLock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Whether the run is to end."""
        return self._requested.is_set()

    def listen(self, function: Callable[[], None]) -> None:
        """Have `function` called when the run is to end."""
        self._listeners.append(function)

    def request(self) -> None:
        """End every command that runs, and let none begin."""
        self._requested.set()
        for function in self._listeners:
            function()
        with self._lock:
            for process in list(self._running.values()):
                end(process)

    def check(self) -> None:
        """Raise QuardError interrupted if the run is to end."""
        if self.requested:
            raise QuardError("interrupted", reason=REASON)

    @contextmanager
    def watching(
        self, start: Callable[[], subprocess.Popen[bytes]]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command that `request` will end. Raises QuardError interrupted."""
        with self._lock:
            self.check()
            process = start()
            self._running[process.pid] = process
        try:
            yield process
        except BaseException:
            end(process)
            process.wait()
            raise
        finally:
            with self._lock:
                del self._running[process.pid]


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a command with all it started.

    bwrap takes its whole process namespace along (--die-with-parent); a command without it leads
    a session of its own.
    """
    if process.poll() is not None:
        return
    try:
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        return
