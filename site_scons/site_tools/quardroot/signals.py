"""What the keys and signals that end or suspend a build do to the commands that it runs."""

from __future__ import annotations

import signal
from types import FrameType

from SCons.Taskmaster.Job import InterruptState

from quard.face.console import Console
from quard.process.stop import Stop


def wake() -> None:
    """Have Ctrl-C raise KeyboardInterrupt, as it does where Python was started without ./scons."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def heed(stop: Stop, console: Console) -> None:
    """Have the run's commands end and wait when SCons does; none is in the terminal's group.

    While they wait, the terminal is the shell's.
    """
    stop.around(console.suspend, console.resume)
    _on_interrupt(stop)
    _on_suspend(stop)


def _on_interrupt(stop: Stop) -> None:
    """Have the commands ended when SCons is told to end.

    On SIGINT, SIGTERM and SIGHUP SCons lets running actions go on to their end, which may be
    minutes away. It offers no hook; its handler sets an InterruptState, and so this class does
    more than that from now on.
    """
    plain = InterruptState.set

    def interrupt(state: InterruptState) -> None:
        plain(state)
        stop.request()

    InterruptState.set = interrupt


def _on_suspend(stop: Stop) -> None:
    """Have Ctrl-Z suspend the commands as well."""

    def suspend(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.suspend()

    if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
        signal.signal(signal.SIGTSTP, suspend)
