"""Progress reports of transfers."""

from __future__ import annotations

from typing import Protocol


class Handle(Protocol):
    """A transfer in progress."""

    def advance(self, count: int) -> None:
        """Report that `count` more bytes have arrived."""

    def close(self) -> None:
        """Report that the transfer has ended, with or without success."""


class Progress(Protocol):
    """Receives reports of transfers."""

    def start(self, package: str, file: str, total: int | None, done: int) -> Handle:
        """Begin a transfer of `total` bytes (None: unknown); `done` bytes are already present."""

    def note(self, line: str) -> None:
        """Show one line of text."""


def amount(count: int) -> str:
    """Return a number of bytes in readable form, such as 5.6 MiB."""
    if count < 1024:
        return f"{count} B"
    value = count / 1024
    for unit in ("KiB", "MiB"):
        if value < 1024:
            return f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"
