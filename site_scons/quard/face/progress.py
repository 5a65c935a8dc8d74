"""How transfers are reported: bars on a terminal, plain lines in a log.

Everything here may be called by several threads at once.
"""

from __future__ import annotations

import os
import threading
import time
from functools import cache
from typing import TYPE_CHECKING, NoReturn, TextIO

from quard.base.plain import one_line, plain
from quard.sources.watch import Handle, amount

if TYPE_CHECKING:
    from tqdm import tqdm

_USUAL_WIDTH = 80
_LOCK = threading.RLock()


@cache
def bars() -> type[tqdm[NoReturn]]:
    """Return what draws bars; it is loaded for the first one, as a null build draws none."""
    from tqdm import tqdm  # noqa: PLC0415

    # A plain lock is enough, and needs no semaphore of the system; the monitor thread would only
    # redraw bars that stand still.
    tqdm.set_lock(_LOCK)
    tqdm.monitor_interval = 0
    return tqdm


def write(line: str, stream: TextIO) -> None:
    """Write lines, clear of all bars; whatever a terminal would obey in them is spelled out."""
    line = plain(line)
    if bars.cache_info().currsize:
        bars().write(line, file=stream)
    else:
        stream.write(line + "\n")


class Bars:
    """One bar per transfer that is under way: package, file, bytes, rate; gone when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # A serial line says that it has no columns; tqdm would show nothing at all there.
        self._sized = os.get_terminal_size(stream.fileno()).columns > 0

    def start(self, package: str, file: str, total: int | None, done: int) -> Handle:
        file = one_line(file)
        label = package if file.startswith(package) else f"{package} "
        label += file.removeprefix(package)
        bar = bars()(
            desc=label,
            total=total,
            initial=done,
            file=self._stream,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            miniters=1,
            dynamic_ncols=self._sized,
            ncols=None if self._sized else _USUAL_WIDTH,
            leave=False,
        )
        return _Bar(bar)

    def note(self, line: str) -> None:
        write(line, self._stream)


class _Bar:
    def __init__(self, bar: tqdm[NoReturn]) -> None:
        self._bar = bar

    def advance(self, count: int) -> None:
        self._bar.update(count)

    def close(self) -> None:
        self._bar.close()


class Lines:
    """A line when a transfer begins and one when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def start(self, package: str, file: str, total: int | None, done: int) -> Handle:
        size = "size unknown" if total is None else amount(total)
        resumed = f", {amount(done)} there already" if done else ""
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
        verb = "broke off after" if short else "received"
        self._lines.note(
            f"{self._label}: {verb} {amount(self._count)} in {seconds:.1f} s ({rate}/s)"
        )
