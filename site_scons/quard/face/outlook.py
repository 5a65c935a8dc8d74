"""Progress of the whole run: how much of the expected work is done, and the remaining time."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import field

from quard.base.record import Record, record
from quard.face.activity import FETCH, Activities, Item, Snapshot
from quard.face.estimate import Left, Unit, held_up, left, settled, told
from quard.ledger.durations import Kinds, Past

_CALM = 2.0
"""Seconds after a start or an end, by which SCons has started everything that it can."""
_AGAIN = 5.0
"""Seconds between two estimates while nothing begins or ends."""


@record
class Outlook(Record):
    """What a run is expected to do.

    about -- the run's name
    units -- all that may have to be made
    past  -- name -> durations of the last builds
    jobs  -- how many are in progress at a time
    """

    about: str = ""
    units: Mapping[str, Unit] = field(default_factory=dict)
    past: Mapping[str, Kinds] = field(default_factory=dict)
    jobs: int = 1

    def like(self, item: Item) -> Past | None:
        """Return the durations of the last build of the same kind."""
        return self.past.get(item.name, {}).get(next(iter(item.steps), item.phase))

    def rest(self, item: Item, now: float) -> float | None:
        """Return an item's remaining time; None if unknown."""
        if item.phase in ("", FETCH):
            unit = self.units.get(item.name)
            return unit.seconds if unit else None
        past = self.like(item)
        return past.rest(item.phase, now - item.entered) if past else None


class Run:
    """Follows one run."""

    def __init__(self) -> None:
        self._found: Left | None = None
        self._made = 0.0
        self._state: tuple[float, bool] | None = None
        """The state that the estimate was made for."""

    def words(self, now: Snapshot, activities: Activities, outlook: Outlook) -> tuple[str, str]:
        """Return the remaining time and how much is done, each "" if unknown."""
        units = outlook.units
        if not units:
            return "", ""
        running = {item.name for item in now.items}
        ended, failed = set(activities.ended), activities.failed - running
        done = (ended | settled(units, running | ended)) & units.keys() - running
        never = failed | held_up(units, failed)  # with -k the others continue
        waiting = _only(units, units.keys() - done - running - never)
        rest = self._left(now, activities.changed, outlook, waiting)
        return told(rest), f"{len(done)} of {len(units)} done"

    def _left(
        self, now: Snapshot, changed: float, outlook: Outlook, waiting: Mapping[str, Unit]
    ) -> Left | None:
        """Return the last estimate minus the time since, or a new one if it is too old."""
        state = changed, now.time - changed > _CALM
        if state != self._state or now.time - self._made >= _AGAIN:
            self._state, self._made = state, now.time
            self._found = _estimate(now, outlook, waiting, calm=state[1])
        if self._found is None:
            return None
        gone = now.time - self._made
        return Left(max(0.0, self._found.least - gone), max(0.0, self._found.most - gone))


def _estimate(
    now: Snapshot, outlook: Outlook, waiting: Mapping[str, Unit], *, calm: bool
) -> Left | None:
    running = {item.name: outlook.rest(item, now.time) for item in now.items}
    if calm and len(running) < outlook.jobs:
        # A unit that could have started by now but did not is up to date.
        waiting = _only(waiting, held_up(waiting, running.keys()))
    return left(waiting, running, outlook.jobs)


def _only(units: Mapping[str, Unit], names: Set[str]) -> dict[str, Unit]:
    return {name: unit for name, unit in units.items() if name in names}
