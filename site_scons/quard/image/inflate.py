"""Where the last block of a deflate stream begins.

zlib tells: it decompresses a stream, and decides none of the bytes that are written. Its interface
in Python does not show blocks.
"""

from __future__ import annotations

import ctypes
from functools import cache

_LIBRARY = "libz.so.1"
_BLOCK = 5
"""Z_BLOCK: stop at the end of each block."""
_BUF_ERROR = -5
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


def last_block(data: memoryview, start: int) -> tuple[int, int, int]:
    """Return the bit at which a stream's last block begins, the stream's bytes, and unused bits.

    data -- writable; the stream begins at `start`, and its length follows four bytes behind it
    Raises ValueError if that is not so, OSError if there is no zlib, MemoryError.
    """
    library, room = _zlib(), ctypes.create_string_buffer(_ROOM)
    given = ctypes.c_char.from_buffer(data, start)
    stream = _Stream(
        next_in=ctypes.addressof(given), avail_in=min(len(data) - start, _MOST_AVAILABLE)
    )
    reference, last = ctypes.byref(stream), 0
    if library.inflateInit2_(reference, -15, library.zlibVersion(), ctypes.sizeof(stream)):
        raise MemoryError("for zlib")
    try:
        while True:
            stream.next_out, stream.avail_out = ctypes.addressof(room), _ROOM
            before = stream.total_in, stream.total_out
            status = library.inflate(reference, _BLOCK)
            moved = (stream.total_in, stream.total_out) != before
            if status not in (0, _BUF_ERROR) or (status == _BUF_ERROR and not moved):
                raise ValueError(f"zlib ended with status {status}")
            at_end, unused = stream.data_type & 128, stream.data_type & 7
            if at_end and stream.data_type & 64:
                end = start + stream.total_in
                length = bytes(data[end + 4 : end + 8])
                if length != (stream.total_out & 0xFFFFFFFF).to_bytes(4, "little"):
                    raise ValueError("it does not have the length that it says")
                return last, stream.total_in, unused
            if at_end:
                last = stream.total_in * 8 - unused
    finally:
        library.inflateEnd(reference)
        del given  # while it exists, the map cannot be closed


@cache
def _zlib() -> ctypes.CDLL:
    library = ctypes.CDLL(_LIBRARY)
    library.zlibVersion.restype = ctypes.c_char_p
    return library
