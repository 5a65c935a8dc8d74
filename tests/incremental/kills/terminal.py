"""SCons on a terminal of its own, as a user has it: keys, hang-up, and what it prints."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
import threading
import time

import pyte

from .board import Board

_ROW = re.compile(r"[a-z.0-9]+(?: [0-9a-z.]+)? +([a-z]+) +\d+:\d\d")
"""Of the live view: a package and the step that it is in, or an image file, which is made."""
_SIZE = (24, 100)
"""Rows and columns."""


class Terminal:
    """One run of SCons that leads a session with a terminal; `pid` is also its process group."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, _SIZE)
        self._began = time.time()
        # setsid(1) gives it the terminal, as the shell of a login has it.
        self.process = board.start(output=slave, terminal=("setsid", "--ctty"))
        os.close(slave)
        self.pid = self.process.pid
        self._said = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        """Everything that was printed."""
        return self._said.decode(errors="replace").replace("\r\n", "\n")

    def press(self, key: bytes) -> None:
        """Type a key."""
        os.write(self._master, key)

    def hang_up(self) -> None:
        """Take the terminal away, as a closed window or a lost connection does."""
        os.close(self._master)
        self._master = -1

    def wait(self, seconds: float) -> bool:
        """Wait for the end; tell whether it came in time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Give the terminal back; a background process may still have it open."""
        self._reader.join(0.5)
        if self._master >= 0:
            self.hang_up()

    def phase(self) -> str:
        """Return what the build is doing, for the report."""
        out = self._board.out
        screen = pyte.Screen(_SIZE[1], _SIZE[0])
        pyte.ByteStream(screen).feed(bytes(self._said))
        phases = sorted({found[1] for found in map(_ROW.match, screen.display) if found})
        if phases == ["make"]:
            return "images"
        if phases:
            return "+".join(phases)
        if _newer(out / "tiny/summary.json", self._began):
            return "ending"
        if _newer(out / "tiny/images", self._began):
            return "images"
        if _newer(out / "journal", self._began):
            return "between"
        try:
            holder = (out / "lock").read_text().strip()
        except OSError:
            holder = ""
        return "reading" if holder == str(self.pid) else "starting"

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self._said += data


def _newer(path: os.PathLike[str], moment: float) -> bool:
    try:
        return os.stat(path).st_mtime > moment
    except OSError:
        return False
