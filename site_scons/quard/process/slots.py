"""Job slots: which of the units that could be worked on are worked on, the most urgent first."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_GRACE = 1.0
"""Seconds for which a slot is kept free for a more urgent unit that is on its way."""
_POLL = 0.05


class NotBegun(Exception):
    """The run has ended before a slot was free."""


class Slots:
    """`count` slots; several threads may use them at once."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._changed = threading.Condition(threading.RLock())
        self._waiting: list[tuple[float, int]] = []
        self._numbers = itertools.count()
        self._closed = False
        self._coming: dict[int, tuple[float, float]] = {}

    @contextmanager
    def coming(self, urgency: float) -> Iterator[None]:
        """Announce a unit that may ask for a slot soon, when it has looked into the stores."""
        number = next(self._numbers)
        with self._changed:
            self._coming[number] = urgency, time.monotonic() + _GRACE
        try:
            yield
        finally:
            with self._changed:
                del self._coming[number]
                self._changed.notify_all()

    @contextmanager
    def held(
        self,
        urgency: float,
        waits: Callable[[], None] = lambda: None,
        arrived: Callable[[], None] = lambda: None,
    ) -> Iterator[None]:
        """Hold a slot. Of those that wait, the most urgent is next, then who has waited longest.

        waits   -- called if a slot has to be waited for
        arrived -- called as soon as this unit is one of those that wait
        Raises NotBegun.
        """
        me = (-urgency, next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, me)
            arrived()
            free = self._is_next(me)
        if not free:
            waits()
        with self._changed:
            try:
                while not (self._closed or self._is_next(me)):
                    self._changed.wait(_POLL if self._coming else None)
                if self._closed:
                    raise NotBegun
                self._free -= 1
            finally:
                self._waiting.remove(me)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let nothing begin any more. A signal handler may call this."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_next(self, me: tuple[float, int]) -> bool:
        if not self._free or self._waiting[0] != me:
            return False
        now = time.monotonic()
        ahead = (until for urgency, until in self._coming.values() if -urgency < me[0])
        return all(until < now for until in ahead)
