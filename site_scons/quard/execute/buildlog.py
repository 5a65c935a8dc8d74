"""The log of one package's build: what is written to it, and what an error shows of it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from quard.base.record import Record, record

_TAIL = 25
"""Lines of the log to show when a step fails: enough for a compiler's message."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PRINTED = 1 << 22
"""Bytes of a failed command's output to search for commands that were not found."""


@record
class BuildLog(Record):
    """file -- open for everything that the commands print; shown -- its path for messages."""

    file: IO[bytes]
    shown: str

    def note(self, text: str) -> None:
        """Add a line of our own."""
        self.file.write(f"==> {text}\n".encode(errors="backslashreplace"))
        self.file.flush()

    def size(self) -> int:
        """Return the size so far: where the output of the next command begins."""
        return Path(self.file.name).stat().st_size

    def printed(self, start: int) -> bytes:
        """Return the log from `start` on; of long output only the end."""
        self.file.flush()
        with Path(self.file.name).open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(start, size - _PRINTED))
            return log.read()

    def tail(self) -> str:
        """Return the last lines, without colours, for an error."""
        self.file.flush()
        text = Path(self.file.name).read_text(errors="replace")
        lines = _COLOUR.sub("", text).splitlines()
        return "\n".join(["--- last lines of the log", *lines[-_TAIL:]])


def quoted(command: Sequence[str]) -> str:
    """Return a command as one line for people."""
    return subprocess.list2cmdline(command)
