"""The user's terminal: whose it is, and lending it to a command that wants it whole."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_INPUT = 0


def belongs_to_others(descriptor: int) -> bool:
    """Return whether a terminal is a shell's or another program's now, and we in the background."""
    try:
        return os.tcgetpgrp(descriptor) != os.getpgrp()
    except OSError:  # a terminal of another session: nobody here has it
        return False


def heeding(argv: Sequence[str]) -> tuple[str, ...]:
    """Return a command line for `lent` by which Ctrl-C reaches the command again.

    What is ignored when a program starts stays ignored (execve(2)), and a shell cannot even undo
    it (POSIX, "trap"); env(1) can.
    """
    return ("env", "--default-signal=INT", *argv)


@contextmanager
def lent() -> Iterator[None]:
    """Leave the terminal to a command that runs meanwhile; afterwards it is as it was before.

    Ctrl-C is sent to this process as well. It is the command's to answer, by a question perhaps:
    until then, we and the sandbox around the command ignore it. To be used in the main thread.

    A command that is killed cannot put the terminal back, and a shell inside a process namespace
    cannot name the group that the terminal belonged to: both are done here.
    """
    terminal = os.isatty(_INPUT)
    ours = terminal and os.tcgetpgrp(_INPUT) == os.getpgrp()
    modes = termios.tcgetattr(_INPUT) if terminal else None
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if ours and modes:
            _take_back(modes)


def _take_back(modes: list[int | list[bytes | int]]) -> None:
    """Make this process's group the terminal's again, and its modes what they were."""
    # Whoever is not the terminal's group is stopped for changing it: termios(3), SIGTTOU.
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError, termios.error):  # it may have been hung up
            os.tcsetpgrp(_INPUT, os.getpgrp())
            termios.tcsetattr(_INPUT, termios.TCSADRAIN, modes)
    finally:
        signal.signal(signal.SIGTTOU, before)
