"""Output for people during a build: a live view on a terminal, plain lines in a log."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from quard.base.errors import QuardError
from quard.base.plain import plain

if TYPE_CHECKING:
    from quard.face.activity import Activities, Item
    from quard.face.live import Live
    from quard.face.outlook import Outlook
    from quard.face.screen import Screen
    from quard.face.spans import How, Span
    from quard.sources.watch import Progress

_SHARED = ("cache-unusable", "disk-full")
"""Reasons whose cause is not in the failing unit."""
_PATIENCE = 60.0
"""Seconds between log lines that a package is still being built."""


class Console:
    """Output for people, from several threads.

    out     -- stream for messages: standard output, so that a log has one order, or standard error
               if the command has an answer; errors go to the current sys.stderr
    answers -- stream for answers, which programs may read; `out` by default
    silent  -- only warnings are printed, to standard error
    share   -- if `out` is a terminal on which to draw: makes all text that is printed there pass
               through a screen's `above`
    colours -- whether that terminal has colours and they are wanted
    """

    def __init__(
        self,
        out: TextIO,
        answers: TextIO | None = None,
        *,
        silent: bool = False,
        share: Callable[[Screen], None] | None = None,
        colours: bool = False,
    ) -> None:
        out, answers = (_nowhere() if silent else out), answers or out
        self._out = out
        self._warnings = sys.stderr if silent else out
        self._answers = answers
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._share = None if silent else share
        self._colours = colours
        self._opening = threading.RLock()
        self._begun: Activities | None = None
        self._live: Live | None = None
        self.screen: Screen | None = None
        self._outlook: Outlook | None = None
        self._warned: set[str] = set()
        self._failed: set[tuple[str, str]] = set()
        self._ticker: threading.Thread | None = None

    @property
    def _activities(self) -> Activities:
        """The activities, loaded with the first one: a null build has none."""
        with self._opening:
            if self._begun is None:
                from quard.face.activity import Activities  # noqa: PLC0415

                self._begun = Activities()
            return self._begun

    def progress(self, *, many: bool = False) -> Progress:
        """Return the object to which transfers are reported.

        many -- the transfers are parts of something that has been reported: they have no lines
        """
        from quard.face.progress import Bars, Lines, Quiet  # noqa: PLC0415

        if self.is_live:
            return Bars(self._activities, self._changed, self.note)
        return Quiet(self.note) if many else Lines(self._out)

    def note(self, text: str) -> None:
        """Print a line."""
        with self._lock:
            _print(text, self._out)

    def warn(self, text: str) -> None:
        """Print a warning; the same warning only once."""
        with self._lock:
            if text not in self._warned:
                self._warned.add(text)
                _print(f"warning: {text}", self._warnings)

    def error(self, error: QuardError) -> None:
        """Print an error's block to standard error; the same error only once.

        A full disk, an unusable cache or a missing network fails everything that runs, each with
        its own message: these count as the same error.
        """
        own = "" if error.reason in _SHARED else error.message
        kind = (error.reason, error.cause or own)
        with self._lock:
            if kind not in self._failed:
                self._failed.add(kind)
                _print(error.block(), sys.stderr)

    def answer(self, text: str) -> None:
        """Print the answer to a question."""
        self._answers.write(plain(text))
        self._answers.flush()

    def done(
        self, name: str, version: str, text: str, how: How = "built", origin: str = ""
    ) -> None:
        """Print that a package is done, and record how it was obtained.

        origin -- name of the store, cache or worker, for users
        """
        self._activities.came(name, how, origin)
        self.note(f"{name} {version}: {text}")

    @contextmanager
    def package(self, name: str, version: str) -> Iterator[Callable[[str], None]]:
        """Show a package while it is in progress; yields a function to report its phases."""
        from quard.face.activity import BUILDS  # noqa: PLC0415

        with self._under_way(name, version) as item:

            def report(phase: str) -> None:
                begins = phase in BUILDS and item.phase != phase
                self._activities.step(item, phase)
                if begins and not self.is_live:
                    self.note(f"{name} {version}: building")
                self._changed()

            yield report

    @contextmanager
    def image(self, name: str) -> Iterator[None]:
        """Show an image file while it is being made."""
        from quard.face.activity import MAKE  # noqa: PLC0415

        with self._under_way(name, "") as item:
            self._activities.step(item, MAKE)
            yield

    @property
    def is_live(self) -> bool:
        """Whether there is a live view, which can show estimates."""
        return self._share is not None

    def expect(self, outlook: Outlook) -> None:
        """Give the live view what this run is expected to do."""
        self._outlook = outlook
        if self._live:
            self._live.outlook = outlook

    @property
    def taken(self) -> Mapping[str, Mapping[str, float]]:
        """What was made in this run -> its steps and their seconds."""
        return self._begun.taken if self._begun else {}

    @property
    def spans(self) -> tuple[Span, ...]:
        """What this run worked on, and when, in the order of the ends; complete after `close`."""
        return tuple(self._begun.recording.spans) if self._begun else ()

    @property
    def started(self) -> float:
        """When the run began, on the clock of the spans."""
        return self._started

    def suspend(self) -> None:
        """Leave the terminal to the shell until `resume`; a signal handler may call both."""
        if self.screen:
            self.screen.suspend()

    def resume(self) -> None:
        """Take the terminal back."""
        if self.screen:
            self.screen.resume()

    def close(self) -> None:
        """Remove the live view."""
        if self._begun:
            self._begun.clear()
        if self._live:
            self._live.close()

    @contextmanager
    def _under_way(self, name: str, version: str) -> Iterator[Item]:
        from quard.process.slots import NotBegun  # noqa: PLC0415 - a null build begins nothing

        item = self._activities.begin(name, version)
        made = False
        self._changed()
        try:
            yield item
            made = True
        except NotBegun:
            self._activities.drop(item)
            raise
        finally:
            self._activities.end(item, made=made)
            self._changed()

    def _changed(self) -> None:
        """Update the live view, or start one; for a log, start the thread of `_watch`."""
        with self._opening:
            if self._share and self._live is None:
                self._live = self._view(self._share)
            elif self._ticker is None and not self._share:
                self._ticker = threading.Thread(target=self._watch, daemon=True)
                self._ticker.start()
        if self._live:
            self._live.changed()

    def _view(self, share: Callable[[Screen], None]) -> Live:
        from quard.face.live import Live  # noqa: PLC0415
        from quard.face.rows import Look  # noqa: PLC0415
        from quard.face.screen import Screen  # noqa: PLC0415

        self._out.flush()
        self.screen = Screen(self._out.fileno())
        share(self.screen)
        look = Look(self._out.encoding, self._colours)
        return Live(self._activities, self.screen, look, self._started, self._outlook)

    def _watch(self) -> None:
        """Print now and then in a log which packages are still being built."""
        told: dict[str, float] = {}
        while True:
            time.sleep(1.0)
            now = self._activities.now()
            for item in now.items:
                begun = item.began or item.since  # a wait for a job slot does not count
                if now.time - max(begun, told.get(item.name, begun)) >= _PATIENCE:
                    told[item.name] = now.time
                    label = f"{item.name} {item.version}".rstrip()
                    self.note(f"{label}: {item.phase}, {now.time - begun:.0f} s so far")


def _print(text: str, stream: TextIO) -> None:
    """Print lines with terminal control characters escaped."""
    stream.write(plain(text) + "\n")
    stream.flush()


def _nowhere() -> TextIO:
    """Return a stream that discards everything."""
    return open(os.devnull, "w", encoding="utf-8")
