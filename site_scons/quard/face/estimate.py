"""Estimating the remaining time of a run from the durations of the last builds."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Set
from graphlib import TopologicalSorter

from quard.base.record import Record, record


@record
class Unit(Record):
    """A package or an image file that may still have to be made.

    seconds -- None: unknown
    needs   -- what must be made before it
    sure    -- it will be made; otherwise that depends on the results of others
    """

    seconds: float | None
    needs: tuple[str, ...] = ()
    sure: bool = True


@record
class Left(Record):
    """Remaining seconds, at least and at most."""

    least: float
    most: float


def left(
    waiting: Mapping[str, Unit], running: Mapping[str, float | None], jobs: int
) -> Left | None:
    """Return how long it takes until everything is made; None if unknown.

    running -- units in progress -> their remaining seconds
    jobs    -- how many are in progress at a time
    """
    rest = {name: seconds for name, seconds in running.items() if seconds is not None}
    known = {name: unit.seconds for name, unit in waiting.items() if unit.seconds is not None}
    if len(rest) < len(running) or len(known) < len(waiting):
        return None
    sure = {name: s if waiting[name].sure else 0.0 for name, s in known.items()}
    needs = {name: unit.needs for name, unit in waiting.items()}
    bounds = (_finish(needs, seconds, rest, jobs) for seconds in (sure, known))
    return Left(*bounds)


def settled(waiting: Mapping[str, Unit], begun: Set[str]) -> set[str]:
    """Return the units that are finished, because something that needs them has begun."""
    found: set[str] = set()
    todo = [need for name in begun if name in waiting for need in waiting[name].needs]
    while todo:
        name = todo.pop()
        if name in waiting and name not in found:
            found.add(name)
            todo.extend(waiting[name].needs)
    return found


def held_up(waiting: Mapping[str, Unit], running: Set[str]) -> set[str]:
    """Return the units that cannot begin until one in progress has ended."""
    users: dict[str, list[str]] = {}
    for name, unit in waiting.items():
        for need in unit.needs:
            users.setdefault(need, []).append(name)
    found: set[str] = set()
    todo = list(running)
    while todo:
        above = [user for user in users.get(todo.pop(), ()) if user not in found]
        found.update(above)
        todo.extend(above)
    return found


def _finish(
    needs: Mapping[str, tuple[str, ...]],
    seconds: Mapping[str, float],
    rest: Mapping[str, float],
    jobs: int,
) -> float:
    """Return when the last unit ends, if the units of the longest chain are started first."""
    there = needs.keys() | rest.keys()
    graph = {name: [n for n in mine if n in there and n != name] for name, mine in needs.items()}
    chain = dict(seconds)
    for name in reversed(tuple(TopologicalSorter(graph).static_order())):
        for need in graph.get(name, ()):
            if need in seconds:
                chain[need] = max(chain[need], seconds[need] + chain[name])
    order: TopologicalSorter[str] = TopologicalSorter(graph | {name: [] for name in rest})
    order.prepare()
    working = [(end, name) for name, end in rest.items()]
    heapq.heapify(working)
    waiting: list[tuple[float, str]] = []
    clock = 0.0
    while True:
        for name in order.get_ready():
            if name not in rest:
                heapq.heappush(waiting, (-chain[name], name))
        while waiting and len(working) < jobs:
            _, name = heapq.heappop(waiting)
            heapq.heappush(working, (clock + seconds[name], name))
        if not working:
            return clock
        clock, name = heapq.heappop(working)
        order.done(name)


def told(found: Left | None) -> str:
    """Return an estimate in words, as coarse as it is known; "" if unknown."""
    if found is None:
        return ""
    low, high = _about(found.least), _about(found.most)
    if low == high or found.most - found.least < 0.2 * found.most:
        return f"about {high} left"
    unit = high.rpartition(" ")[2]
    low = low.removesuffix(f" {unit}") if " h" not in f"{low}{high}" else low
    return f"{low} to {high} left"


def _about(seconds: float) -> str:
    if seconds < 95:  # whole minutes could be off by half
        return f"{max(1, round(seconds / 10)) * 10} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    minutes = round(minutes / 10) * 10
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
