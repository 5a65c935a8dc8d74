"""Passing the keys and signals that end or suspend a build on to its commands."""

from __future__ import annotations

import signal
from types import FrameType

from SCons.Taskmaster.Job import InterruptState

from quard.face.console import Console
from quard.process.stop import Stop


def wake() -> None:
    """Make Ctrl-C raise KeyboardInterrupt, as in a Python that ./scons did not start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def heed(stop: Stop, console: Console) -> None:
    """End and suspend the run's commands together with SCons; none is in the terminal's group.

    While they are suspended, the shell has the terminal.
    """
    stop.around(console.suspend, console.resume)
    _on_interrupt(stop)
    _on_suspend(stop)


def _on_interrupt(stop: Stop) -> None:
    """End the commands when SCons receives a signal to end.

    On SIGINT, SIGTERM and SIGHUP, SCons waits for running actions, which may take minutes. It
    offers no hook; its handler sets an InterruptState, so this class is extended here.
    """
    plain = InterruptState.set

    def interrupt(state: InterruptState) -> None:
        plain(state)
        stop.request()

    InterruptState.set = interrupt


def _on_suspend(stop: Stop) -> None:
    """Make Ctrl-Z suspend the commands too."""

    def suspend(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.suspend()

    if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
        signal.signal(signal.SIGTSTP, suspend)
