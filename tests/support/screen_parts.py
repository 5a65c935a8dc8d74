"""A console on a terminal of its own, in this process, and the screen that shows it."""

from __future__ import annotations

import io
import os
import pty
import select
import termios
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyte

from quard.face.console import Console
from quard.face.screen import Screen

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Above(io.FileIO):
    """The descriptor of a stream whose text goes above what a screen draws."""

    screen: Screen | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        return self.screen.above(data, super().write) if self.screen else super().write(data)


class Shown:
    """What a console shows.

    out -- the stream that leads to the terminal
    raw -- all that was printed
    """

    def __init__(
        self,
        lines: int = 24,
        columns: int = 80,
        *,
        colours: bool = False,
        encoding: str = "utf-8",
    ) -> None:
        self._master, self.slave = pty.openpty()
        os.set_blocking(self._master, False)
        termios.tcsetwinsize(self.slave, (lines, columns))
        above = _Above(self.slave, "w", closefd=False)
        self.out = io.TextIOWrapper(
            io.BufferedWriter(above), encoding=encoding, line_buffering=True
        )
        self.screen = pyte.Screen(columns or 80, lines or 24)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.console = Console(
            self.out, share=lambda screen: setattr(above, "screen", screen), colours=colours
        )

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self._master)

    def resize(self, lines: int, columns: int) -> None:
        """Give the terminal another size."""
        termios.tcsetwinsize(self.slave, (lines, columns))
        self.screen.resize(lines, columns)

    def read(self, seconds: float = 0.0) -> None:
        """Take in what was printed and is printed for so long."""
        limit = time.monotonic() + seconds
        while select.select([self._master], [], [], max(0.0, limit - time.monotonic()))[0]:
            data = os.read(self._master, 1 << 16)
            self.raw += data
            self._stream.feed(data)

    def rows(self) -> list[str]:
        """Return what is to be seen, without empty rows at the end."""
        self.read()
        shown = [row.rstrip() for row in self.screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def wait(self, found: Callable[[], object]) -> None:
        """Look until something is found."""
        limit = time.monotonic() + 20
        while not found():
            assert time.monotonic() < limit, "\n".join(self.rows())
            self.read(0.05)
