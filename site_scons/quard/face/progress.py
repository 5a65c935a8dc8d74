"""Reporting transfers: rows of the live view on a terminal, plain lines in a log.

Several threads may call everything here at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TextIO

from quard.base.plain import plain
from quard.face.activity import Activities, Transfer
from quard.sources.watch import Handle, amount


class Bars:
    """One bar per active transfer: package, file, bytes, rate; removed when it ends.

    changed -- called when a transfer begins or ends
    note    -- called with lines of text
    """

    def __init__(
        self, activities: Activities, changed: Callable[[], None], note: Callable[[str], None]
    ) -> None:
        self._activities = activities
        self._changed = changed
        self.note = note

    def start(self, package: str, file: str, total: int | None, done: int) -> Handle:
        transfer = self._activities.transfer(package, file, total, done)
        self._changed()
        return _Bar(self._activities, transfer, self._changed)


class _Bar:
    def __init__(
        self, activities: Activities, transfer: Transfer, changed: Callable[[], None]
    ) -> None:
        self._activities = activities
        self._transfer = transfer
        self._changed = changed

    def advance(self, count: int) -> None:
        self._transfer.done += count

    def close(self) -> None:
        self._activities.arrived(self._transfer)
        self._changed()


class Quiet:
    """Nothing but notes.

    note -- called with lines of text
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note = note

    def start(self, package: str, file: str, total: int | None, done: int) -> Handle:  # noqa: ARG002
        return _Silent()


class _Silent:
    def advance(self, count: int) -> None:
        pass

    def close(self) -> None:
        pass


class Lines:
    """A line when a transfer begins and one when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def start(self, package: str, file: str, total: int | None, done: int) -> Handle:
        size = "size unknown" if total is None else amount(total)
        resumed = f", {amount(done)} already downloaded" if done else ""
        self.note(f"{package}: fetching {file} ({size}{resumed})")
        return _Line(self, f"{package}: {file}", total, done)

    def note(self, line: str) -> None:
        with self._lock:
            self._stream.write(plain(line) + "\n")
            self._stream.flush()


class _Line:
    def __init__(self, lines: Lines, label: str, total: int | None, done: int) -> None:
        self._lines = lines
        self._label = label
        self._missing = None if total is None else total - done
        self._count = 0
        self._start = time.monotonic()

    def advance(self, count: int) -> None:
        self._count += count

    def close(self) -> None:
        seconds = time.monotonic() - self._start
        rate = amount(int(self._count / max(seconds, 0.001)))
        short = self._missing is not None and self._count < self._missing
        verb = "interrupted after" if short else "received"
        self._lines.note(
            f"{self._label}: {verb} {amount(self._count)} in {seconds:.1f} s ({rate}/s)"
        )
