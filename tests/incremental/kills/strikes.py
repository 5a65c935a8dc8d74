"""The ways to end a build from outside."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable

from . import processes
from .terminal import Terminal

Strike = Callable[[Terminal, random.Random], str]
"""Ends a run, or harms it; returns what was hit."""


def ctrl_c(run: Terminal, dice: random.Random) -> str:
    del dice
    run.press(b"\x03")
    return "foreground group"


def ctrl_c_twice(run: Terminal, dice: random.Random) -> str:
    run.press(b"\x03")
    time.sleep(dice.uniform(0.0, 0.4))
    run.press(b"\x03")
    return "foreground group"


def sending(number: int, send: Callable[[int, int], None], whom: str) -> Strike:
    """A signal to the build alone (os.kill), or to its process group (os.killpg)."""

    def strike(run: Terminal, dice: random.Random) -> str:
        del dice
        send(run.pid, number)
        return whom

    return strike


def hang_up(run: Terminal, dice: random.Random) -> str:
    del dice
    run.hang_up()
    return "terminal"


def kill_child(run: Terminal, dice: random.Random) -> str:
    """One process that the build has started, at any depth; none yet: the build itself."""
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        found = processes.below(run.pid)
        if found:
            hit = dice.choice(found)
            with contextlib.suppress(ProcessLookupError):
                os.kill(hit.pid, signal.SIGKILL)
                return hit.name
    os.kill(run.pid, signal.SIGKILL)
    return "scons"


def kill_all(run: Terminal, dice: random.Random) -> str:
    """The build and all that it has started, one after the other, in any order."""
    found = [run.pid, *(process.pid for process in processes.below(run.pid))]
    dice.shuffle(found)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return "all"


STRIKES: dict[str, Strike] = {
    "ctrl-c": ctrl_c,
    "ctrl-c twice": ctrl_c_twice,
    "SIGTERM to scons": sending(signal.SIGTERM, os.kill, "scons"),
    "SIGTERM to the group": sending(signal.SIGTERM, os.killpg, "group"),
    "hang-up": hang_up,
    "kill -9 of scons": sending(signal.SIGKILL, os.kill, "scons"),
    "kill -9 of the group": sending(signal.SIGKILL, os.killpg, "group"),
    "kill -9 of a child": kill_child,
    "kill -9 one by one": kill_all,
}
GENTLE = ("ctrl-c", "ctrl-c twice", "SIGTERM to scons", "SIGTERM to the group", "hang-up")
"""Those that leave the build a chance to tidy up."""
