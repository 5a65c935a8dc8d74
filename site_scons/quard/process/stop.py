"""Cancellation: a flag that is checked between steps, and the child processes to kill."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable

from quard.base.errors import QuardError
from quard.process import leash

REASON = "interrupted"


class Stop:
    """Shared by all builds of one run; a signal handler may call `request` and `suspend`."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        # Reentrant: the handler may interrupt the main thread anywhere.
        self._lock = threading.RLock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._starting = self._postponed = False
        self._listeners: list[Callable[[], None]] = []
        self._around: list[tuple[Callable[[], None], Callable[[], None]]] = []

    @property
    def requested(self) -> bool:
        """Whether the run is to be stopped."""
        return self._requested.is_set()

    def listen(self, function: Callable[[], None]) -> None:
        """Have `function` called when a stop is requested; at once if it has been already."""
        self._listeners.append(function)
        if self.requested:
            function()

    def around(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        """Have `before` and `after` called when this process is suspended and when it continues."""
        self._around.append((before, after))

    def request(self) -> None:
        """Kill every running command, and let no other start."""
        self._requested.set()
        for function in self._listeners:
            function()
        with self._lock:
            for process in self._running.values():
                leash.end(process)

    def suspend(self) -> None:
        """Suspend the commands and then this process; the commands continue when it does.

        Job control does not reach the commands: they are not in the terminal's group.
        """
        with self._lock:  # so that no command starts meanwhile
            if self._starting:  # in the thread that the signal has interrupted
                self._postponed = True
                return
            self._tell(signal.SIGSTOP)
            for before, _ in self._around:
                before()
            os.kill(os.getpid(), signal.SIGSTOP)
            for _, after in self._around:
                after()
            self._tell(signal.SIGCONT)

    def check(self) -> None:
        """Raise QuardError interrupted if the run is to be stopped."""
        if self.requested:
            raise QuardError("interrupted", reason=REASON)

    def run(self, start: Callable[[], subprocess.Popen[bytes]]) -> int:
        """Run the command that `start` starts to its end and return its status.

        Processes that it leaves running are killed. If this thread is interrupted, the command is
        killed before the exception propagates. Raises QuardError interrupted, and as `start` does.
        """
        process = self._begin(start)
        killed = True
        try:
            leash.wait(process)
            killed = self.requested
        finally:
            with self._lock:
                del self._running[process.pid]
                leads = leash.leads(process)
                leash.end(process)
            status = process.wait()
            if leads and (killed or status < 0):
                leash.vanish(process.pid)
        self.check()
        return status

    def _begin(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Start a command; a signal that arrives meanwhile applies to it as well."""
        with self._lock:
            self.check()
            self._starting = True
            try:
                process = start()
                self._running[process.pid] = process
            finally:
                self._starting = False
            if self.requested:
                leash.end(process)
            if self._postponed:
                self._postponed = False
                self.suspend()
        return process

    def _tell(self, number: signal.Signals) -> None:
        for process in self._running.values():
            if leash.leads(process):
                os.killpg(process.pid, number)
