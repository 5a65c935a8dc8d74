"""Passing the keys and signals that end or suspend a build on to its commands."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

from quard.face.console import Console
from quard.process.stop import Stop

_WAKING = signal.SIGURG
"""It interrupts a wait; nothing sends it to a build, and programs ignore it by default."""
_GRACE = 0.1
"""Seconds after which a handler has run."""


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
    _on_second_interrupt(stop)
    _on_suspend(stop)


def end_quietly(stop: Stop) -> None:
    """Make Ctrl-C end what the end of a run waits for, and raise nothing.

    Python prints what an exit handler raises as a traceback.
    """
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, lambda _number, _frame: stop.request())


def relay() -> None:
    """Have the main thread run the handler of a signal that another thread has received.

    The kernel may choose any thread, and Python runs handlers in the main thread alone. That waits
    for SCons' workers, and nothing else wakes it.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(_WAKING, lambda _number, _frame: None)
    main = threading.main_thread().ident

    def watch() -> None:
        while main is not None:
            number = os.read(read, 1)[0]
            if number != _WAKING:
                time.sleep(_GRACE)
                signal.pthread_kill(main, _WAKING)  # does nothing if the handler has run

    threading.Thread(target=watch, daemon=True).start()


def _on_interrupt(stop: Stop) -> None:
    """End the commands when SCons receives a signal to end.

    On SIGINT, SIGTERM and SIGHUP, SCons waits for running actions, which may take minutes. It
    offers no hook; its handler sets an InterruptState, so this class is extended here.
    """
    from SCons.Taskmaster.Job import InterruptState  # noqa: PLC0415 - by then SCons is loaded

    plain = InterruptState.set

    def interrupt(state: InterruptState) -> None:
        plain(state)
        stop.request()

    InterruptState.set = interrupt


def _on_second_interrupt(stop: Stop) -> None:
    """Make Ctrl-C do nothing once the run is stopped: SCons gives the key back before it ends."""
    raising = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        if callable(raising) and not stop.requested:
            raising(number, frame)

    if callable(raising):
        signal.signal(signal.SIGINT, interrupt)


def _on_suspend(stop: Stop) -> None:
    """Make Ctrl-Z suspend the commands too."""

    def suspend(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.suspend()

    if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
        signal.signal(signal.SIGTSTP, suspend)
