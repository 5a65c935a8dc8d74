"""What a transfer tells whoever watches it."""

from __future__ import annotations

from typing import Protocol


class Handle(Protocol):
    """One transfer that is under way."""

    def advance(self, count: int) -> None:
        """Tell that `count` more bytes have arrived."""

    def close(self) -> None:
        """Tell that the transfer has ended, whether well or not."""


class Progress(Protocol):
    """Where transfers are reported to."""

    def start(self, package: str, file: str, total: int | None, done: int) -> Handle:
        """Begin a transfer of `total` bytes (None: unknown), of which `done` were there before."""

    def note(self, line: str) -> None:
        """Show one line of text."""


def amount(count: int) -> str:
    """Return a number of bytes as people read it, as in 5.6 MiB."""
    if count < 1024:
        return f"{count} B"
    value = count / 1024
    for unit in ("KiB", "MiB"):
        if value < 1024:
            return f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"
