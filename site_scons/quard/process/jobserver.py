"""One pool of job tokens for every make that runs at the same time.

GNU make's protocol (its manual, "POSIX Jobserver Interaction"): a pipe filled with one byte per
job beyond the first; a process takes a byte before it starts a job and puts it back afterwards.
Each package that is being built holds one token itself, so that N jobs means N processes however
many packages are under way.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE = 1.0
_POLL = 0.2
"""Seconds."""


class Jobserver:
    """A pipe with `jobs` tokens; `fds` are to be inherited by the builds."""

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"{jobs} jobs")
        self.jobs = jobs
        self._read, self._write = os.pipe()
        for end in (self._read, self._write):
            os.set_inheritable(end, True)
        os.write(self._write, b"+" * jobs)
        # A second opening of the pipe has flags of its own: make 4.3 switches the shared one to
        # non-blocking and back as it likes.
        self._private = os.open(
            f"/proc/self/fd/{self._read}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        )

    @property
    def fds(self) -> tuple[int, int]:
        """The two ends of the pipe."""
        return self._read, self._write

    @property
    def makeflags(self) -> str:
        """The value of MAKEFLAGS for a build that holds one token."""
        return f"-j{self.jobs} --jobserver-auth={self._read},{self._write}"

    @contextmanager
    def token(self) -> Iterator[None]:
        """Hold one token while a package is built.

        A make that gives a token back often takes the next one at once, so that another might
        wait for minutes. Whoever has waited for `_PATIENCE` begins without one, and takes the
        first that comes free while it runs: one process too many for a while, nobody starving.
        """
        debt = _Debt(self._private)
        debt.wait(_PATIENCE)
        try:
            yield
        finally:
            if token := debt.settle():
                os.write(self._write, token)

    def close(self) -> None:
        """Close the pipe; the tokens are gone."""
        for end in (self._read, self._write, self._private):
            os.close(end)


class _Debt:
    """A token that is being taken out of the pipe by a thread of its own."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._token = b""
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the token, but no longer than so many seconds."""
        self._thread.join(seconds)

    def settle(self) -> bytes:
        """Stop waiting and return the token, empty if none came."""
        self._cancelled.set()
        self._thread.join()
        return self._token

    def _take(self) -> None:
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        while not self._cancelled.is_set():
            if poll.poll(_POLL * 1000):
                try:
                    self._token = os.read(self._pipe, 1)
                except BlockingIOError:
                    continue  # somebody else was quicker
                return
