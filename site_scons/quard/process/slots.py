"""Job slots: which of the units that could be worked on are worked on, the most urgent first.

Some slots may be those of workers elsewhere, for units that can be sent there. Both kinds fill
together: such a unit takes a slot where the smaller share is taken, a worker's if both are equal.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

_GRACE = 1.0
"""Seconds for which a slot is kept free for each more urgent unit that is on its way."""


class NotBegun(Exception):
    """The run has ended before a slot was free."""


class _Unit(NamedTuple):
    """A unit that waits or is on its way; `leaves`: it may be sent to a worker."""

    rank: float
    number: int
    leaves: bool


_Token = Callable[[Callable[[], None], Callable[[], None]], AbstractContextManager[None]]


def _no_token(_waits: Callable[[], None], _check: Callable[[], None]) -> nullcontext[None]:
    return nullcontext()


class Slots:
    """`count` slots of this machine, and slots of workers; several threads may use them at once.

    token    -- what a slot of this machine comes with, see Jobserver.token
    is_fatal -- called with the error of a unit that has a slot; if it returns True, nothing begins
                any more: the next unit would take the slot before anybody hears of the error
    """

    def __init__(self, count: int, elsewhere: int = 0, token: _Token = _no_token) -> None:
        self._count = self._free = count
        self._elsewhere = self._free_elsewhere = elsewhere
        self._token = token
        self._changed = threading.Condition(threading.RLock())
        self._waiting: list[_Unit] = []
        self._numbers = itertools.count()
        self._closed = False
        self._coming: dict[_Unit, float] = {}
        self.is_fatal: Callable[[Exception], bool] = lambda _: False

    @contextmanager
    def coming(self, urgency: float) -> Iterator[None]:
        """Announce a unit that may ask for a slot soon, when it has looked into the stores."""
        unit = _Unit(-urgency, next(self._numbers), leaves=True)
        with self._changed:
            self._coming[unit] = time.monotonic() + _GRACE
        try:
            yield
        finally:
            with self._changed:
                self._coming.pop(unit, None)
                self._changed.notify_all()

    @contextmanager
    def held(
        self,
        urgency: float,
        waits: Callable[[], None] = lambda: None,
        arrived: Callable[[], None] = lambda: None,
        *,
        leaves: bool = False,
    ) -> Iterator[bool]:
        """Hold a slot; yield whether it is a worker's.

        Of those that wait, the most urgent is next, then who has waited longest.

        waits   -- called if a slot, or its token, has to be waited for
        arrived -- called as soon as this unit is one of those that wait
        leaves  -- the unit may be sent to a worker
        Raises NotBegun.
        """
        me = _Unit(-urgency, next(self._numbers), leaves)
        with self._queued(me):
            with self._changed:
                arrived()
                free = self._is_next(me)
            if not free:
                waits()
            elsewhere = self._take(me)
        try:
            with nullcontext() if elsewhere else self._token(waits, self._check):
                yield elsewhere
        except Exception as error:
            if self.is_fatal(error):
                self.close()
            raise
        finally:
            self._give(1, elsewhere=elsewhere)

    @contextmanager
    def _queued(self, me: _Unit) -> Iterator[None]:
        with self._changed:
            self._waiting.append(me)
        try:
            yield
        finally:
            with self._changed:
                self._waiting.remove(me)
                self._changed.notify_all()

    def _check(self) -> None:
        if self._closed:
            raise NotBegun

    def _take(self, me: _Unit) -> bool:
        """Wait for a slot, and take it; return whether it is a worker's. Raises NotBegun."""
        with self._changed:
            while not (self._closed or self._is_next(me)):
                self._changed.wait(self._pause())
            self._check()
            elsewhere = self._goes_elsewhere(me, self._free, self._free_elsewhere)
            self._give(-1, elsewhere=elsewhere)
        return elsewhere

    def _give(self, number: int, *, elsewhere: bool) -> None:
        with self._changed:
            if elsewhere:
                self._free_elsewhere += number
            else:
                self._free += number
            self._changed.notify_all()

    def stay(self) -> None:
        """Give no slots of workers any more."""
        with self._changed:
            self._free_elsewhere -= self._elsewhere
            self._elsewhere = 0
            self._changed.notify_all()

    def close(self) -> None:
        """Let nothing begin any more. A signal handler may call this."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_next(self, me: _Unit) -> bool:
        """Return whether a slot is left if all that are before this unit take theirs."""
        now = time.monotonic()
        self._coming = {unit: until for unit, until in self._coming.items() if until > now}
        here, elsewhere = self._free, self._free_elsewhere
        for each in sorted((*self._waiting, *self._coming)):
            fits = here > 0 or (each.leaves and elsewhere > 0)
            if each == me:
                return fits
            if fits and self._goes_elsewhere(each, here, elsewhere):
                elsewhere -= 1
            elif fits:
                here -= 1
        return False

    def _pause(self) -> float | None:
        """Return the seconds after which the first slot is kept no longer; None: none is kept."""
        first = min(self._coming.values(), default=None)
        return None if first is None else max(0.0, first - time.monotonic())

    def _goes_elsewhere(self, unit: _Unit, here: int, elsewhere: int) -> bool:
        """Return whether a unit takes a worker's slot, with so many free slots of each kind."""
        if not unit.leaves or elsewhere <= 0:
            return False
        share = (self._elsewhere - elsewhere) * self._count - (self._count - here) * self._elsewhere
        return here <= 0 or share <= 0
