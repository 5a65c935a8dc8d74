"""How long an address is tried, how much it may give, and how that ends without a file."""

from __future__ import annotations

from dataclasses import dataclass

MOST = 2048 << 20
"""Bytes that are taken of a file whose size nobody has said: few releases have a tenth of it."""


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
    hint   -- what the user can do about it, where there is something
    """

    def __init__(self, text: str, *, silent: bool = False, hint: str = "") -> None:
        super().__init__(text)
        self.silent = silent
        self.hint = hint


class Refused(Failed):
    """What arrives cannot be the file; nothing of it is kept."""


class Other(Refused):
    """It is another file than the recipe's: it differs in `what`."""

    def __init__(self, what: str, *, expected: str, found: str) -> None:
        super().__init__(f"another {what}")
        self.what = what
        self.expected = expected
        self.found = found


@dataclass(frozen=True)
class Size:
    """How large a file is, or may be.

    exact -- in bytes, as the recipe says; 0 where it does not
    most  -- what is taken of a file whose size the recipe does not say
    """

    exact: int = 0
    most: int = MOST

    def check(self, length: int, *, whole: bool = False) -> None:
        """Refuse a file that has `length` bytes, or (not `whole`) at least so many."""
        if self.exact and (length > self.exact or (whole and length != self.exact)):
            found = f"{length} bytes" if whole else f"more than {self.exact} bytes"
            raise Other("size", expected=f"{self.exact} bytes", found=found)
        if not self.exact and length > self.most:
            mib = self.most >> 20
            raise Refused(
                f"gives more than {mib} MiB, the limit for a file of unknown size",
                hint="the recipe may give the archive's `size`, and sources.largest_mib=NUMBER"
                " raises the limit",
            )


class Stopped(Exception):
    """The user wants to end; what has arrived can be resumed."""
