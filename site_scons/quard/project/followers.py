"""Units that ask for a job slot as soon as another one is made, announced while that has its slot.

SCons starts them in any order. Without an announcement, those that it starts first take the free
slots, and the most urgent one, which the end of the run waits for, may be the last to begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

from quard.plan.unit import Unit
from quard.process.slots import Slots


class Followers:
    """The file systems that are made from one file; several threads may use it at once."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._coming: dict[str, ExitStack] = {}

    def announce(self, made: Unit, units: Mapping[str, Unit], urgency: Mapping[str, float]) -> None:
        """Announce the units that are made from nothing else than this unit.

        urgency -- of all units that the run may make, by id
        """
        for each in units.values():
            if each.id in urgency and [one.unit for one in each.inputs] == [made.id]:
                stack = ExitStack()
                stack.enter_context(self._slots.coming(urgency[each.id]))
                self._coming[each.id] = stack

    def arrival(self, unit: Unit) -> Callable[[], None]:
        """Return what has to be called when a unit asks for its slot."""
        return self._coming.pop(unit.id, ExitStack()).close
