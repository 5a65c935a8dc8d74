"""The jobserver: one pool of job tokens shared by all makes that run at the same time.

GNU make's protocol (its manual, "POSIX Jobserver Interaction"): a pipe filled with one byte per
job beyond the first; a process takes a byte before it starts a job and puts it back afterwards.
Each package being built also holds one token, so that N jobs means N processes, however many
packages are built in parallel.
"""

from __future__ import annotations

import fcntl
import os
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_POLL = 0.2
"""Seconds between two looks at whether the run is cancelled."""
_SHARING = 2.0
"""Seconds for which a command waits for its share of the tokens."""
_SAMPLE = 0.1
"""Seconds between two counts of the free tokens."""


@dataclass
class _Waiter:
    """A build that waits for a token."""

    token: bytes = b""
    served: threading.Event = field(default_factory=threading.Event)


class Jobserver:
    """A pipe with `jobs` tokens; builds inherit `fds`."""

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"{jobs} jobs")
        self.jobs = jobs
        self._read, self._write = os.pipe()
        for end in (self._read, self._write):
            os.set_inheritable(end, True)
        os.write(self._write, b"+" * jobs)
        # The pipe is opened again to have separate flags: make 4.3 switches the shared descriptor
        # to non-blocking and back at any time.
        private = f"/proc/self/fd/{self._read}"
        self._polled = os.open(private, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self._blocking = os.open(private, os.O_RDONLY | os.O_CLOEXEC)
        self._changed = threading.Condition()
        self._waiting: deque[_Waiter] = deque()
        self._closed = False
        self._builds = 0
        self._used = 0.0
        self._helpers: list[threading.Thread] = []

    @property
    def fds(self) -> tuple[int, int]:
        """The two ends of the pipe."""
        return self._read, self._write

    @property
    def makeflags(self) -> str:
        """The value of MAKEFLAGS for a build that holds one token."""
        return f"-j{self.jobs} --jobserver-auth={self._read},{self._write}"

    def idle(self, seconds: float) -> float:
        """Return the share of the tokens' time, of so many seconds, for which none had them."""
        return max(0.0, 1.0 - self._used / (self.jobs * max(seconds, 0.001)))

    @contextmanager
    def token(
        self, waits: Callable[[], None] = lambda: None, check: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Hold one token while a package is built.

        waits -- called if the token has to be waited for
        check -- called now and then meanwhile; ends the wait by an exception
        """
        found = self._now()
        if not found:
            waits()
            found = self._later(check)
        with self._changed:
            self._builds += 1
        try:
            yield
        finally:
            with self._changed:
                self._builds -= 1
                self._give(found)

    @contextmanager
    def share(self, check: Callable[[], None] = lambda: None) -> Iterator[int]:
        """Hold further tokens for a command that knows no jobserver; yields how many jobs it has.

        The build that runs it holds a token. All builds get an equal share, or less if makes have
        more for longer than `_SHARING`.
        """
        wanted = max(1, self.jobs // max(1, self._builds)) - 1
        deadline = time.monotonic() + _SHARING
        found: list[bytes] = []
        try:
            while len(found) < wanted and time.monotonic() < deadline:
                if token := self._now():
                    found.append(token)
                else:
                    check()
                    time.sleep(_SHARING / 40)
            yield 1 + len(found)
        finally:
            for token in found:
                self._give(token)

    def _now(self) -> bytes:
        """Return a token that is free; empty if there is none."""
        with self._changed:
            self._start_helpers()
            try:
                return b"" if self._waiting else os.read(self._polled, 1)
            except BlockingIOError:
                return b""

    def _later(self, check: Callable[[], None]) -> bytes:
        """Wait for a token; who has waited longest gets the first one."""
        waiter = _Waiter()
        with self._changed:
            self._waiting.append(waiter)
            self._changed.notify_all()
        try:
            while not waiter.served.wait(_POLL):
                check()
        except BaseException:
            with self._changed:
                if waiter.token:
                    self._give(waiter.token)
                else:
                    self._waiting.remove(waiter)
            raise
        return waiter.token

    def _give(self, token: bytes) -> None:
        """Hand a token to a build that waits for one; a make could take it from the pipe first."""
        with self._changed:
            if self._waiting:
                waiter = self._waiting.popleft()
                waiter.token = token
                waiter.served.set()
            else:
                os.write(self._write, token)

    def _start_helpers(self) -> None:
        if not self._helpers:
            for work in (self._take, self._measure):
                self._helpers.append(threading.Thread(target=work, daemon=True))
                self._helpers[-1].start()

    def _take(self) -> None:
        """Take tokens for builds that wait.

        A make that returns a token wants the next one at once. Only who is already in read(2) then
        has a chance to get it.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
            self._give(os.read(self._blocking, 1))

    def _measure(self) -> None:
        """Add up the time for which tokens are in use, by counting those in the pipe."""
        last, count = time.monotonic(), bytearray(4)
        while not self._closed:
            time.sleep(_SAMPLE)
            with self._changed:
                if self._closed:
                    return
                fcntl.ioctl(self._polled, termios.FIONREAD, count)
            now = time.monotonic()
            free = min(self.jobs, int.from_bytes(count, sys.byteorder))
            self._used += (self.jobs - free) * (now - last)
            last = now

    def close(self) -> None:
        """Close the pipe; its tokens are lost."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        os.write(self._write, b"+")  # for a helper that waits for one
        for helper in self._helpers:
            helper.join()
        for end in (self._read, self._write, self._polled, self._blocking):
            os.close(end)
