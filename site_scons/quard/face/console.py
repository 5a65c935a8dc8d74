"""What people see while a build runs: a status line on a terminal, plain lines in a log."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TextIO

from quard.base.errors import QuardError
from quard.base.plain import one_line, plain
from quard.face.progress import Bars, Lines, bars, write
from quard.sources.watch import Progress

if TYPE_CHECKING:
    from tqdm import tqdm

_SHARED = ("cache-unusable", "disk-full")
"""Reasons that lie outside of what fails."""
_PATIENCE = 60.0
"""Seconds after which a log is told that a package is still being built."""


class Console:
    """Output for people, from several threads.

    out     -- where messages go: standard output, so that a log has one order, or standard error
               beside an answer; errors go to the standard error of whoever prints them
    answers -- where answers go, which programs may read; `out` where it is not given
    silent  -- nothing is told but warnings, which go to standard error then
    """

    def __init__(self, out: TextIO, answers: TextIO | None = None, *, silent: bool = False) -> None:
        out, answers = (_nowhere() if silent else out), answers or out
        self._out = out
        self._warnings = sys.stderr if silent else out
        self._answers = answers
        self._lock = threading.Lock()
        self._running: dict[str, tuple[str, str, float]] = {}
        self._terminal = out.isatty()
        self._bar: tqdm[NoReturn] | None = None
        self.progress: Progress = Bars(out) if self._terminal else Lines(out)
        self._warned: set[str] = set()
        self._failed: set[tuple[str, str]] = set()
        self._ticker: threading.Thread | None = None

    def note(self, text: str) -> None:
        """Print a line."""
        with self._lock:
            self._line(text)

    def warn(self, text: str) -> None:
        """Print a warning, the same one only once."""
        with self._lock:
            if text not in self._warned:
                self._warned.add(text)
                write(f"warning: {text}", self._warnings)
                self._warnings.flush()

    def error(self, error: QuardError) -> None:
        """Print an error's block to standard error, clear of the status line; the same one once.

        A full disk or a cache that cannot be used fails all that runs, each in words of its own:
        it is the same one.
        """
        kind = (error.reason, "" if error.reason in _SHARED else error.message)
        with self._lock:
            if kind not in self._failed:
                self._failed.add(kind)
                write(error.block(), sys.stderr)
                sys.stderr.flush()

    def answer(self, text: str) -> None:
        """Print the answer to a question."""
        self._answers.write(plain(text))
        self._answers.flush()

    def done(self, name: str, version: str, how: str) -> None:
        """Print that a package is there."""
        self.note(f"{name} {version}: {how}")

    @contextmanager
    def package(self, name: str, version: str) -> Iterator[Callable[[str], None]]:
        """Show a package for as long as it is under way; yields the function told its phases."""
        with self._lock:
            self._running[name] = (version, "", time.monotonic())
            self._refresh()
            self._tick()

        def report(phase: str) -> None:
            with self._lock:
                before = self._running[name][1]
                self._running[name] = (version, phase, self._running[name][2])
                if phase in ("unpack", "update") and before != phase and not self._terminal:
                    self._line(f"{name} {version}: building")
                self._refresh()

        try:
            yield report
        finally:
            with self._lock:
                del self._running[name]
                self._refresh()

    def close(self) -> None:
        """Take the status line away."""
        with self._lock:
            self._running.clear()
            self._refresh()

    def _line(self, text: str) -> None:
        write(text, self._out)
        self._out.flush()

    def _refresh(self) -> None:
        if not self._terminal:
            return
        if not self._running:
            if self._bar is not None:
                self._bar.close()
                self._bar = None
            return
        if self._bar is None:
            self._bar = bars()(
                total=0, file=self._out, bar_format="{desc}", leave=False, dynamic_ncols=True
            )
        bar = self._bar
        now = time.monotonic()
        parts = [
            f"{name} {version}: {phase or 'looking'} {now - since:.0f} s"
            for name, (version, phase, since) in sorted(self._running.items())
        ]
        bar.set_description_str(one_line(" | ".join(parts)))

    def _tick(self) -> None:
        """Keep the status line's seconds going, or the log's reader patient."""
        if self._ticker is None:
            self._ticker = threading.Thread(target=self._watch, daemon=True)
            self._ticker.start()

    def _watch(self) -> None:
        told: dict[str, float] = {}
        while True:
            time.sleep(1.0)
            with self._lock:
                if self._terminal:
                    self._refresh()
                    continue
                now = time.monotonic()
                for name, (version, phase, since) in sorted(self._running.items()):
                    if now - max(since, told.get(name, since)) >= _PATIENCE:
                        told[name] = now
                        self._line(f"{name} {version}: {phase}, {now - since:.0f} s so far")


def _nowhere() -> TextIO:
    """Return a stream for what nobody is to read."""
    return open(os.devnull, "w", encoding="utf-8")
