"""The jobserver: one pool of job tokens shared by all makes that run at the same time.

GNU make's protocol (its manual, "POSIX Jobserver Interaction"): a pipe filled with one byte per
job beyond the first; a process takes a byte before it starts a job and puts it back afterwards.
Each package being built also holds one token, so that N jobs means N processes, however many
packages are built in parallel.
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

        A make that returns a token often takes the next one at once, so another build could wait
        for minutes. After waiting for `_PATIENCE` a build starts without a token and takes the
        first free one while it runs: one process too many for a while, but no build starves.
        """
        debt = _Debt(self._private)
        debt.wait(_PATIENCE)
        try:
            yield
        finally:
            if token := debt.settle():
                os.write(self._write, token)

    def close(self) -> None:
        """Close the pipe; its tokens are lost."""
        for end in (self._read, self._write, self._private):
            os.close(end)


class _Debt:
    """A token that a separate thread takes from the pipe."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._token = b""
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the token, at most this many seconds."""
        self._thread.join(seconds)

    def settle(self) -> bytes:
        """Stop waiting and return the token; empty if there was none."""
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
                    continue  # another process took it first
                return
