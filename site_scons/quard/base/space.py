"""A full disk or quota: how it is recognised, and the error for it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quard.base.errors import QuardError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_SHOWN = 3
"""Lines of a command's output that the error shows."""


def is_full(fault: OSError) -> bool:
    """Return whether a system call failed because a disk or a quota is full."""
    return fault.errno in _FULL


def says_full(text: str) -> bool:
    """Return whether the output of a command run with LC_ALL=C says so."""
    return any(os.strerror(number) in text for number in _FULL)


def disk_full(doing: str, place: Path | str, said: str = "", *, instead: str = "") -> QuardError:
    """Return the error `disk-full`.

    doing   -- what failed, such as "unpacking zlib-1.3.tar.gz"
    place   -- the folder or file that could not be written
    said    -- the message of the system or of a command
    instead -- another remedy besides freeing space
    """
    facts = [str(place), *said.splitlines()[:_SHOWN]]
    hint = "free some space there and start again; finished work is kept"
    return QuardError(
        f"no space left on the disk while {doing}",
        detail="\n".join(filter(None, facts)),
        reason="disk-full",
        hint=f"{hint}; {instead}" if instead else hint,
    )


@contextmanager
def enough_space(folder: Path, doing: str = "writing") -> Iterator[None]:
    """Convert 'no space' and 'quota exceeded' inside the block to QuardError `disk-full`."""
    try:
        yield
    except OSError as fault:
        if not is_full(fault):
            raise
        raise disk_full(doing, folder, fault.strerror or "") from fault
