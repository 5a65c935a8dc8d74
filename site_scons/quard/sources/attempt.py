"""Limits of an attempt to download from an address, and the ways in which it fails."""

from __future__ import annotations

from quard.base.record import Record, record

MOST = 2048 << 20
"""Limit in bytes of a file of unknown size: few releases reach a tenth of it."""


@record
class Limits(Record):
    """Timeouts and retries; times are in seconds.

    connect  -- timeout for a connection
    read     -- timeout for the next bytes
    attempts -- number in a row without `worth` new bytes, after which an address is given up
    pause    -- before the second attempt; doubled for each further one
    longest  -- limit of a pause, also if the server requests a longer one
    worth    -- bytes that make an attempt count as a success
    """

    connect: float = 15
    read: float = 30
    attempts: int = 4
    pause: float = 1
    longest: float = 30
    worth: int = 1 << 20


class Failed(Exception):
    """An address does not provide the file; the text tells users why.

    silent -- whether the host did not answer in time
    hint   -- what the user can do about it, if anything
    """

    def __init__(self, text: str, *, silent: bool = False, hint: str = "") -> None:
        super().__init__(text)
        self.silent = silent
        self.hint = hint


class Unreached(Failed):
    """Nobody answers at the address: its host's name is unknown, or there is no route to it."""


class Refused(Failed):
    """The response cannot be the file; nothing of it is kept."""


class Other(Refused):
    """The response is not the recipe's file: it differs in `what`."""

    def __init__(self, what: str, *, expected: str, found: str) -> None:
        super().__init__(f"wrong {what}")
        self.what = what
        self.expected = expected
        self.found = found


@record
class Size(Record):
    """The size of a file, or its limit.

    exact -- in bytes, from the recipe; 0 if the recipe does not give it
    most  -- limit for a file whose size the recipe does not give
    """

    exact: int = 0
    most: int = MOST

    def check(self, length: int, *, whole: bool = False) -> None:
        """Reject a file of `length` bytes or, if not `whole`, of at least that many."""
        if self.exact and (length > self.exact or (whole and length != self.exact)):
            found = f"{length} bytes" if whole else f"more than {self.exact} bytes"
            raise Other("size", expected=f"{self.exact} bytes", found=found)
        if not self.exact and length > self.most:
            mib = self.most >> 20
            raise Refused(
                f"sends more than {mib} MiB, the limit for a file of unknown size",
                hint="the recipe may give the archive's `size`, and sources.largest_mib=NUMBER"
                " raises the limit",
            )


class Stopped(Exception):
    """The user stops the run; the download can be resumed."""
