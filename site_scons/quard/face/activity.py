"""The current activities, as reported by their threads: packages with their steps, transfers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from quard.base.record import Record, record
from quard.face.spans import How, Recording, Span, Stretch

BUILDS = ("unpack", "update")
"""The first step of a package's build: from its source, or in an incremental build directory."""
MAKE = "make"
"""The only step of an image file."""
FETCH = "fetch"
"""A step whose duration depends on a server."""
WAIT = "wait"
"""Not a step: a pause until a job slot is free."""
KEEP = "keep"
"""Not a step: the result is recorded, and the job slot is free again."""
PAUSES = (FETCH, WAIT, KEEP)
"""What does not count for a package's duration."""


@dataclass
class Item:
    """A package or an image file in progress.

    began   -- start time of the first step that is its own work; None before it
    phase   -- the current step; "" before the first one
    entered -- start time of the current step
    steps   -- seconds that its other steps took, in order
    passed  -- its ended steps with their times, in order
    """

    name: str
    version: str
    since: float
    began: float | None = None
    phase: str = ""
    entered: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    passed: list[Stretch] = field(default_factory=list)


@dataclass
class Transfer:
    """A file being fetched: `done` bytes of `total` (None: unknown), `before` at the start."""

    package: str
    file: str
    total: int | None
    before: int
    done: int
    since: float


@record
class Snapshot(Record):
    """All activities at one moment, the longest-running first."""

    time: float
    items: tuple[Item, ...] = ()
    transfers: tuple[Transfer, ...] = ()


class Activities:
    """Collects the reports of all threads.

    taken  -- the steps of built packages and images and their seconds; not for packages that were
              restored or opened for a shell or an editor
    ended  -- the names of everything that finished
    failed -- the names of everything that did not
    recording -- when the run worked on what
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._items: list[Item] = []
        self._transfers: list[Transfer] = []
        self.taken: dict[str, dict[str, float]] = {}
        self.ended: set[str] = set()
        self.failed: set[str] = set()
        self.recording = Recording()
        self.changed = clock()
        """Time of the last start or end."""

    def begin(self, name: str, version: str = "") -> Item:
        with self._lock:
            now = self.changed = self._clock()
            item = Item(name, version, now, entered=now)
            self._items.append(item)
            return item

    def step(self, item: Item, phase: str) -> bool:
        """Note that the next step of `item` begins; return whether it is the first own step."""
        with self._lock:
            if phase == item.phase:
                return False
            now = self._clock()
            _leave(item, now)
            item.phase, item.entered = phase, now
            if item.began is None and phase not in PAUSES:
                item.began = now
                return True
            return False

    def drop(self, item: Item) -> None:
        """Forget an item whose work has not begun."""
        with self._lock:
            self._items = [other for other in self._items if other is not item]

    def end(self, item: Item, *, made: bool) -> None:
        """Note that work on `item` has ended; `made`: successfully. Not for a dropped one."""
        with self._lock:
            if not any(other is item for other in self._items):
                return
            now = self.changed = self._clock()
            self._items = [other for other in self._items if other is not item]
            _leave(item, now)
            self._record(item, now, "made" if made else "failed")
            if not made:
                self.failed.add(item.name)
                return
            self.ended.add(item.name)
            self.failed.discard(item.name)
            if next(iter(item.steps), "") in (*BUILDS, MAKE):
                self.taken[item.name] = item.steps

    def came(self, name: str, how: How, origin: str = "") -> None:
        """Note how a package, whose work has ended, was obtained."""
        with self._lock:
            self.recording.came(name, how, origin)

    def _record(self, item: Item, now: float, how: How) -> None:
        steps = tuple(item.passed)
        self.recording.add(Span(item.name, item.version, item.since, now, how, steps))

    def transfer(self, package: str, file: str, total: int | None, done: int) -> Transfer:
        with self._lock:
            found = Transfer(package, file, total, done, done, self._clock())
            self._transfers.append(found)
            return found

    def arrived(self, transfer: Transfer) -> None:
        """Note that a transfer has ended, successfully or not."""
        with self._lock:
            self._transfers = [other for other in self._transfers if other is not transfer]

    def clear(self) -> None:
        with self._lock:
            now = self._clock()
            for item in self._items:
                _leave(item, now)
                self._record(item, now, "interrupted")
            self._items.clear()
            self._transfers.clear()

    @property
    def idle(self) -> bool:
        """Whether there is no activity."""
        with self._lock:
            return not (self._items or self._transfers)

    def now(self) -> Snapshot:
        with self._lock:
            shown = (item for item in self._items if item.phase != WAIT)
            items = tuple(replace(item, steps=dict(item.steps)) for item in shown)
            return Snapshot(self._clock(), items, tuple(self._transfers))


def _leave(item: Item, now: float) -> None:
    """Add the time of the step that ends now."""
    if item.phase:
        item.passed.append(Stretch(item.phase, item.entered, now))
    if item.phase not in ("", *PAUSES):
        item.steps[item.phase] = item.steps.get(item.phase, 0.0) + now - item.entered
