"""A terminal to look at: what a program prints on it, as a screen shows it."""

from __future__ import annotations

import os
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pexpect
import pyte

CLEAN = ("CI", "CLICOLOR", "COLUMNS", "LINES", "NO_COLOR")
"""Variables of whoever runs the tests that change what a terminal is given."""


class Terminal:
    """A program that leads a session on a terminal of its own.

    screen -- what is to be seen, with the lines that have left it at the top in `history`
    raw    -- all that was printed
    modes  -- those of the terminal at the program's end; None before it
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        lines: int = 24,
        columns: int = 80,
        folder: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = pyte.HistoryScreen(columns or 80, lines or 24, history=10_000, ratio=0.5)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.modes: object = None
        kept = {name: value for name, value in os.environ.items() if name not in CLEAN}
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            words[0],
            list(words[1:]),
            cwd=str(folder) if folder else None,
            env={**kept, "TERM": "xterm", "PYTHONUTF8": "1", **(env or {})},
            dimensions=(lines, columns),
            timeout=120,
        )

    def read(self, seconds: float) -> bool:
        """Take in what is printed for so long; tell whether the program still runs."""
        limit = time.monotonic() + seconds
        while (rest := limit - time.monotonic()) > 0:
            try:
                data = self.child.read_nonblocking(1 << 16, timeout=rest)
            except pexpect.TIMEOUT:
                return True
            except pexpect.EOF:
                return False
            self.raw += data
            self._stream.feed(data)
        return True

    def wait(self, found: Callable[[], object], seconds: float = 120) -> None:
        """Look at the screen until something is found on it."""
        limit = time.monotonic() + seconds
        while not found():
            runs = self.read(0.05)
            assert found() or (runs and time.monotonic() < limit), "\n".join(self.rows())

    def resize(self, lines: int, columns: int) -> None:
        """Give the terminal another size, of which it tells the program."""
        self.child.setwinsize(lines, columns)
        self.screen.resize(lines, columns)

    def rows(self) -> list[str]:
        """Return what is to be seen, without empty rows at the end."""
        shown = [row.rstrip() for row in self.screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def all(self) -> list[str]:
        """Return also what has left the screen."""
        columns = range(self.screen.columns)
        gone = ["".join(row[x].data for x in columns).rstrip() for row in self.screen.history.top]
        return [*gone, *self.rows()]

    def end(self) -> int:
        """Wait for the program's end and return its exit status, negative for a signal."""
        while self.read(1):
            pass
        self.modes = termios.tcgetattr(self.child.child_fd)
        self.child.close()
        status, number = self.child.exitstatus, self.child.signalstatus
        if status is not None:
            return status
        assert number is not None
        return -number
