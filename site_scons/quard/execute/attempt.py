"""How long an address is tried, and the two ways in which that ends without a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How long to wait and how often to try again; times are seconds.

    connect  -- for a connection
    read     -- for the next bytes
    attempts -- in a row without `worth` new bytes, before an address is given up
    pause    -- before the second attempt; doubled for each further one
    longest  -- of all pauses, also when the server asks for more
    worth    -- bytes that make an attempt count as a success
    """

    connect: float = 15
    read: float = 30
    attempts: int = 4
    pause: float = 1
    longest: float = 30
    worth: int = 1 << 20


class Failed(Exception):
    """An address that does not give the file; the text says why, for people.

    silent -- whether the host did not even answer within the time
    """

    def __init__(self, text: str, *, silent: bool = False) -> None:
        super().__init__(text)
        self.silent = silent


class Stopped(Exception):
    """The user wants to end; what has arrived can be resumed."""
