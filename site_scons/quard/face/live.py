"""The live view on a terminal: a thread that draws the current activities."""

from __future__ import annotations

import threading
import time

from quard.face.activity import Activities
from quard.face.outlook import Outlook, Run
from quard.face.rows import Look, clock, rows
from quard.face.screen import Screen

_TICK = 1.0
_SWIFT = 0.25
"""Interval while something is being fetched."""
_SPACING = 0.1
"""Minimum time between two frames."""


class Live:
    """Shows `activities`.

    started -- when the run began
    """

    def __init__(
        self,
        activities: Activities,
        screen: Screen,
        look: Look,
        started: float,
        outlook: Outlook | None = None,
    ) -> None:
        self.outlook = outlook or Outlook()
        self._activities = activities
        self._screen = screen
        self._look = look
        self._started = started
        self._run = Run()
        self._drawing = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        threading.Thread(target=self._watch, daemon=True).start()

    def changed(self) -> None:
        """Draw the rows soon; on return they are removed if there is no activity."""
        if self._activities.idle:
            self._draw()
        else:
            self._wake.set()

    def close(self) -> None:
        """Remove the view for good."""
        with self._drawing:
            self._closed = True
            self._screen.erase()
        self._wake.set()

    def _watch(self) -> None:
        tick: float | None = None
        while not self._closed:
            self._wake.wait(tick)
            self._wake.clear()
            tick = self._draw()
            time.sleep(_SPACING)

    def _draw(self) -> float | None:
        """Draw the current activities; return the time until the next frame."""
        with self._drawing:
            now = self._activities.now()
            if self._closed or not (now.items or now.transfers):
                self._screen.erase()
                return None
            size = self._screen.size()
            rest, done = self._run.words(now, self._activities, self.outlook)
            spent = clock(now.time - self._started)
            work = f"{len(now.items)} in progress" if now.items else ""
            words = [word for word in (self.outlook.about, spent, rest, done, work) if word]
            self._screen.draw(rows(now, self.outlook, words, size, self._look), size)
            return _SWIFT if now.transfers else _TICK
