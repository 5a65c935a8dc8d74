"""One pool of job tokens for every make that runs at the same time.

GNU make's protocol (its manual, "POSIX Jobserver Interaction"): a pipe filled with one byte per
job beyond the first; a process takes a byte before it starts a job and puts it back afterwards.
Each package that is being built holds one token itself, so that N jobs means N processes however
many packages are under way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


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
        # make 4.3 switches the shared descriptor to non-blocking; a second opening of the same
        # pipe has its own flags and so still waits.
        self._private = os.open(f"/proc/self/fd/{self._read}", os.O_RDONLY | os.O_CLOEXEC)

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
        """Hold one token; waits until one is free."""
        taken = os.read(self._private, 1)
        try:
            yield
        finally:
            os.write(self._write, taken)

    def close(self) -> None:
        """Close the pipe; the tokens are gone."""
        for end in (self._read, self._write, self._private):
            os.close(end)
