"""The use of one server in a run: time limits, repeated attempts, and the end of its use.

A server that cannot be used is reported once; the run goes on without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

from quard.base.record import Record, record
from quard.sources.attempt import Failed
from quard.sources.response import Transient

_T = TypeVar("_T")


@record
class Limits(Record):
    """Bounds for one request.

    connect, silence -- seconds to connect, and without any data
    slack, rate      -- a transfer may take `slack` seconds, and one more for each `rate` bytes
    attempts         -- number of attempts
    pause, longest   -- seconds before the second attempt, doubled for each; at most `longest`,
                        whatever the server asks for
    """

    connect: float = 5
    silence: float = 30
    slack: float = 60
    rate: int = 100_000
    attempts: int = 3
    pause: float = 0.5
    longest: float = 10

    def seconds(self, size: int) -> float:
        """Return the time that a transfer of some bytes may take."""
        return self.slack + size / self.rate


class Stopped(Exception):
    """The run is stopped, or ends."""


class Unusable(Exception):
    """The server cannot be used any more; that has been reported."""


class Refusal(Failed):
    """The server's answer is that it does not do what was asked."""


class Busy(Transient):
    """The server's answer is that it cannot do it now."""


class _Use:
    """The use of a server by all links to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ended = False


class Link:
    """Whether a server can be used; several threads may use it at once.

    name -- for users, with the server's host
    tell -- called with a line of text for the user
    """

    def __init__(
        self, name: str, tell: Callable[[str], None], limits: Limits | None = None
    ) -> None:
        self.name = name
        self.limits = limits or Limits()
        self._tell = tell
        self._use = _Use()
        self._stopped = threading.Event()
        self.read_only = ""
        """Why the server takes nothing from here; "" if it may."""

    @property
    def usable(self) -> bool:
        return not self._use.ended

    def beside(self) -> Link:
        """Return a link to the same server that is stopped by itself, and given up together."""
        other = Link(self.name, self._tell, self.limits)
        other._use = self._use
        return other

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """End all requests soon; later ones raise Stopped."""
        self._stopped.set()

    def check_pace(self, started: float, present: int) -> None:
        """Raise Transient for a transfer that is too slow, or Stopped.

        started -- moment of time.monotonic()
        present -- bytes that were transferred since then
        """
        if self.stopped:
            raise Stopped
        if time.monotonic() - started > self.limits.seconds(present):
            raise Transient("the transfer is too slow")

    def persist(self, work: Callable[[], _T], end: Callable[[Failed], _T] | None = None) -> _T:
        """Do some work, again after failures that may pass.

        end -- is called with the last failure and returns the result; without it, the server is
               given up
        Raises Unusable, Stopped.
        """
        limits, end = self.limits, end or self._give_up_for
        for attempt in range(limits.attempts):
            if self.stopped:
                raise Stopped
            if self._use.ended:
                raise Unusable
            try:
                return work()
            except Transient as fault:
                if fault.silent or attempt + 1 == limits.attempts:
                    return end(fault)
                wait = max(limits.pause * 2**attempt, fault.wait)
                if self._stopped.wait(min(wait, limits.longest)):
                    raise Stopped from None
            except Failed as fault:
                return end(fault)
        raise AssertionError("the last attempt returns or raises")

    def refused(self, fault: Failed) -> bool:
        """Note that the server takes nothing, if that is its answer; return False.

        Raises Unusable.
        """
        if not isinstance(fault, Refusal | Busy):
            self.give_up(str(fault))
        self.read_only = self.read_only or str(fault)
        return False

    def _give_up_for(self, fault: Failed) -> NoReturn:
        self.give_up(str(fault))

    def give_up(self, why: str) -> NoReturn:
        """End the use of the server in this run; the first time, say why. Raises Unusable."""
        with self._use.lock:
            first, self._use.ended = not self._use.ended, True
        if first:
            why = why.replace("\n", ";")
            self._tell(f"{self.name} is not used any more in this run: {why}")
        raise Unusable from None
