"""The user's terminal: who controls it, and lending it to an interactive command."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_INPUT = 0


def belongs_to_others(descriptor: int) -> bool:
    """Return whether another program has the terminal now, so that we are in the background."""
    try:
        return os.tcgetpgrp(descriptor) != os.getpgrp()
    except OSError:  # a terminal of another session
        return False


def heeding(argv: Sequence[str]) -> tuple[str, ...]:
    """Return a command line for `lent` with which Ctrl-C reaches the command again.

    A signal that is ignored when a program starts stays ignored (execve(2)). A shell cannot undo
    that (POSIX, "trap"); env(1) can.
    """
    return ("env", "--default-signal=INT", *argv)


@contextmanager
def lent() -> Iterator[None]:
    """Lend the terminal to a command that runs inside the block, and restore it afterwards.

    Ctrl-C is sent to this process as well. The command has to handle it, perhaps with a question,
    so this process and the sandbox around the command ignore it. For the main thread only.

    A killed command cannot restore the terminal's modes, and a shell inside a process namespace
    cannot name the group that had the terminal: both are restored here.
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
    """Give the terminal back to this process's group, with its previous modes."""
    # A process outside the terminal's group is stopped when it changes it: termios(3), SIGTTOU.
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError, termios.error):  # the terminal may have hung up
            os.tcsetpgrp(_INPUT, os.getpgrp())
            termios.tcsetattr(_INPUT, termios.TCSADRAIN, modes)
    finally:
        signal.signal(signal.SIGTTOU, before)
