"""Starting programs so that Ctrl-Z can suspend this process meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_POLL = 0.1
"""Seconds."""


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    given: bytes = b"",
    timeout: float | None = None,
    session: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    """Run a short program of our own to its end, and return its status and all that it printed.

    For programs that run neither in a sandbox nor for long; others are started by process.leash.

    env     -- its whole environment; None: ours
    given   -- its standard input
    timeout -- in seconds
    session -- it has one of its own: keys of the terminal do not reach it
    Raises OSError if it cannot be started, subprocess.TimeoutExpired.
    """
    with not_suspended():
        return subprocess.run(
            argv,
            env=env,
            cwd=cwd,
            timeout=timeout,
            start_new_session=session,
            input=given or None,
            stdin=None if given else subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )


def run_until(
    argv: Sequence[str], stopped: Callable[[], bool], *, cwd: Path
) -> subprocess.CompletedProcess[bytes] | None:
    """Run a program that may take long to its end; kill it with its children if it is to stop.

    For programs of our own that run in no sandbox and are found in PATH, with our environment. They
    have no terminal to ask questions at.

    stopped -- returns whether to stop; then the result is None
    Raises OSError if it cannot be started.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        with not_suspended():
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
            )
        try:
            while not stopped():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = process.wait(_POLL)
                    out.seek(0)
                    errors.seek(0)
                    return subprocess.CompletedProcess(argv, status, out.read(), errors.read())
            return None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def not_suspended() -> Iterator[None]:
    """Keep Ctrl-Z from a child that does not run its program yet.

    The terminal would stop the child, which is in our process group at first. This thread waits
    until it runs its program (vfork(2)), and a process that waits so cannot be stopped: the shell
    would wait for it forever. The program inherits the blocked signal: it runs on while we are
    suspended, if nobody stops it (see process.stop).
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTSTP,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
