"""Making units while SCons looks for the next one, without a thread of their own.

To restore a package takes about a millisecond, which Python spends on many small files. Threads
that do so at the same time wait for each other at every file: that takes a third more processor
time.
"""

from __future__ import annotations

from collections.abc import Callable

from SCons.Node import Node, executing
from SCons.Script.Main import BuildTask


def make_inline(make: Callable[[Node], bool]) -> None:
    """Have SCons try to make each target at once, before it gives the target to a thread.

    SCons prepares a task, and looks for the next one if it needs no thread.

    make -- returns whether the target is made; it raises nothing
    """
    plain_prepare, plain_needs = BuildTask.prepare, BuildTask.needs_execute
    made: set[BuildTask] = set()

    def prepare(task: BuildTask) -> None:
        plain_prepare(task)
        if task.targets[0].get_state() == executing and make(task.targets[0]):
            made.add(task)

    def needs_execute(task: BuildTask) -> bool:
        if task not in made:
            return plain_needs(task)
        made.remove(task)
        return False

    BuildTask.prepare, BuildTask.needs_execute = prepare, needs_execute
