"""Compressed pieces of a gzip file, joined without compressing them again (RFC 1951, RFC 1952).

A deflate stream is a sequence of blocks, and a bit of the last block says that it is the last one.
With that bit cleared, and with an empty stored block behind it, which ends on a byte, another
stream can follow. Where the last block begins, zlib tells: it decompresses a stream, and decides
none of the bytes that are written here. Its interface in Python does not show blocks.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from functools import cache
from typing import IO

from quard.base.errors import QuardError

HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
"""Of a gzip file without name and time, made on Unix."""
END = b"\x03\0"
"""An empty last block."""
_LIBRARY = "libz.so.1"
_BLOCK = 5
"""Z_BLOCK: stop at the end of each block."""
_STREAM_END, _BUF_ERROR = 1, -5
_ROOM = 1 << 18
_MOST_AVAILABLE = 0xFFFFFFFF


class _Stream(ctypes.Structure):
    """z_stream of zlib.h."""

    _fields_ = (
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_uint),
        ("total_in", ctypes.c_ulong),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_uint),
        ("total_out", ctypes.c_ulong),
        ("msg", ctypes.c_char_p),
        ("state", ctypes.c_void_p),
        ("zalloc", ctypes.c_void_p),
        ("zfree", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("data_type", ctypes.c_int),
        ("adler", ctypes.c_ulong),
        ("reserved", ctypes.c_ulong),
    )


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
    library, room = _zlib(), ctypes.create_string_buffer(_ROOM)
    given = ctypes.c_char.from_buffer(data, start)
    stream = _Stream(
        next_in=ctypes.addressof(given), avail_in=min(len(data) - start, _MOST_AVAILABLE)
    )
    reference, last = ctypes.byref(stream), 0
    if library.inflateInit2_(reference, -15, library.zlibVersion(), ctypes.sizeof(stream)):
        raise wrong("zlib has no memory")
    try:
        while True:
            stream.next_out, stream.avail_out = ctypes.addressof(room), _ROOM
            before = stream.total_in, stream.total_out
            status = library.inflate(reference, _BLOCK)
            moved = (stream.total_in, stream.total_out) != before
            if status not in (0, _BUF_ERROR) or (status == _BUF_ERROR and not moved):
                raise wrong(f"zlib ended with status {status}")
            at_end, unused = stream.data_type & 128, stream.data_type & 7
            if at_end and stream.data_type & 64:
                end = start + stream.total_in
                length = bytes(data[end + 4 : end + 8])
                if length != (stream.total_out & 0xFFFFFFFF).to_bytes(4, "little"):
                    raise wrong("it does not have the length that it says")
                return last, stream.total_in, unused
            if at_end:
                last = stream.total_in * 8 - unused
    finally:
        library.inflateEnd(reference)
        del given  # while it exists, the map cannot be closed


@cache
def _zlib() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise QuardError(
            f"the library {_LIBRARY}, which is needed to make rootfs.cpio.gz, is missing",
            detail=str(error),
            reason="tool-missing",
            hint="apt-get install zlib1g",
        ) from error
    library.zlibVersion.restype = ctypes.c_char_p
    return library


def wrong(detail: str) -> QuardError:
    """Return the error for what gzip printed."""
    return QuardError(
        "gzip printed what cannot be joined to a gzip file",
        detail=detail,
        reason="image-tool",
        hint="the machine's gzip may be another program: use GNU gzip",
    )
