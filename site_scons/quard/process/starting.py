"""Starting programs so that Ctrl-Z can suspend this process meanwhile."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


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
