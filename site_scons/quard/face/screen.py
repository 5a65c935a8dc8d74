"""Rows at the bottom of a terminal that are redrawn, below the text that scrolls.

The cursor stays at the start of the first row: however a terminal rearranges the rows on a resize,
all of them are between the cursor and the end of the screen. No terminal mode is changed, so that a
killed process leaves nothing to restore.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from quard.base.record import Record, record
from quard.process.terminal import belongs_to_others

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_ERASE = b"\r\x1b[J"
_USUAL = (80, 24)
"""Size of a serial line, which reports none."""


@record
class Size(Record):
    """The size of a terminal."""

    columns: int
    lines: int


class Screen:
    """One terminal, by its descriptor; threads and a signal handler may use it at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # Reentrant: the handler interrupts whatever the main thread is doing.
        self._lock = threading.RLock()
        self._frame = b""
        self._size = self.size()
        self._drawn = self._mid_line = self._suspended = self._lost = False

    def shows(self, descriptor: int) -> bool:
        """Return whether a descriptor refers to this terminal."""
        try:
            ours, other = os.fstat(self._descriptor), os.fstat(descriptor)
        except OSError:
            return False
        return os.isatty(descriptor) and ours.st_rdev == other.st_rdev

    def size(self) -> Size:
        """Return the terminal's current size."""
        try:
            columns, lines = os.get_terminal_size(self._descriptor)
        except OSError:  # the terminal is gone
            columns = lines = 0
        return Size(columns or _USUAL[0], lines or _USUAL[1])

    def draw(self, rows: Sequence[bytes], size: Size) -> None:
        """Replace the rows with these; each must be shorter than a line of `size`."""
        last = len(rows) - 1
        frame = b"\r\n".join(row + b"\x1b[K" for row in rows)
        up = b"\x1b[%dA" % last if last > 0 else b""
        with self._lock:
            self._frame, self._size = b"\r" + frame + b"\x1b[J" + up + b"\r", size
            if not rows:
                self.erase()
            elif not self._mid_line:
                self._show()

    def erase(self) -> None:
        """Remove the rows."""
        with self._lock:
            self._frame = b""
            self._hide()

    def above(self, data: ReadableBuffer, write: Callable[[ReadableBuffer], int]) -> int:
        """Let `write` write text above the rows, and return what it returns.

        The rows are drawn again below the text, once its line is complete.
        """
        with self._lock:
            self._hide()
            written = write(data)
            if done := bytes(memoryview(data)[:written]):
                self._mid_line = not done.endswith(b"\n")
            if self._frame and not self._mid_line and self.size() == self._size:
                self._show()
            return written

    def suspend(self) -> None:
        """Leave the terminal to the shell until `resume`."""
        with self._lock:
            self._suspended = True
            self._hide()

    def resume(self) -> None:
        """Take the terminal back; the rows appear with the next draw."""
        with self._lock:
            self._suspended = False

    def _show(self) -> None:
        if self._suspended or belongs_to_others(self._descriptor):
            self._hide()
        else:
            self._drawn = True
            self._put(self._frame)

    def _hide(self) -> None:
        if self._drawn:
            self._drawn = False
            self._put(_ERASE)

    def _put(self, data: bytes) -> None:
        """Write without buffers: a handler may have interrupted code that fills one."""
        while data and not self._lost:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                return  # another process made it non-blocking: the next frame redraws everything
            except OSError:
                self._lost = True  # it was closed; the text's own stream reports that
