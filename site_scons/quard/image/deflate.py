"""Compressed pieces of a gzip file, joined without compressing them again (RFC 1951, RFC 1952).

A deflate stream is a sequence of blocks, and a bit of the last block says that it is the last one.
With that bit cleared, and with an empty stored block behind it, which ends on a byte, another
stream can follow.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from typing import IO

from quard.base.errors import QuardError

HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
"""Of a gzip file without name and time, made on Unix."""
END = b"\x03\0"
"""An empty last block."""


def open_ended(file: IO[bytes]) -> Iterator[tuple[memoryview, bytes]]:
    """Yield each member of gzip files as a deflate stream, and what it ends with to be continued.

    A stream can be read until the next one is asked for.

    file -- gzip files one behind the other, each without a name: what `gzip -n -c FILE...` prints
    Raises QuardError image-tool for anything else.
    """
    if not os.fstat(file.fileno()).st_size:
        raise wrong("it is empty")
    # A private map: a bit that is cleared takes a page of memory, and the file keeps it.
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as data, memoryview(data) as view:
        place = 0
        while place < len(view):
            start = place + len(HEADER)
            # The second byte of flags depends on the level, the last one on the system.
            if view[place : place + 8] != HEADER[:8] or start >= len(view):
                raise wrong("it has no header of a gzip file without a name")
            last, size, unused = _last_block(view, start)
            with view[start : start + size] as stream:
                if not stream[last >> 3] >> (last & 7) & 1 or stream[-1] >> (8 - unused):
                    raise wrong("its last block does not end as one")
                stream[last >> 3] &= ~(1 << (last & 7))
                # The empty block begins with three bits that are zero, like the unused ones.
                yield stream, bytes(unused < 3) + b"\0\0\xff\xff"
            place = start + size + 8


def _last_block(data: memoryview, start: int) -> tuple[int, int, int]:
    """Return the bit at which a stream's last block begins, the stream's bytes, and unused bits."""
    try:
        # Not every Python has ctypes, and only this format needs it.
        from quard.image import inflate  # noqa: PLC0415

        return inflate.last_block(data, start)
    except ValueError as error:
        raise wrong(str(error)) from error
    except (ImportError, OSError) as error:
        raise QuardError(
            "rootfs.cpio.gz cannot be made: this Python lacks ctypes, or the machine libz.so.1",
            detail=str(error),
            reason="tool-missing",
            hint="apt-get install zlib1g; a Python that was built without libffi has no ctypes",
        ) from error


def wrong(detail: str) -> QuardError:
    """Return the error for what gzip printed."""
    return QuardError(
        "gzip printed what cannot be joined to a gzip file",
        detail=detail,
        reason="image-tool",
        hint="the machine's gzip may be another program: use GNU gzip",
    )
