"""The blocks of ext4 folders, without an index.

Linux: Documentation/filesystems/ext4/directory.rst, "Linear Directories".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from quard.image.ext4_groups import BLOCK
from quard.image.tree import Kind

TYPES: dict[Kind, int] = {
    "file": 1,
    "directory": 2,
    "char": 3,
    "block": 4,
    "fifo": 5,
    "link": 7,
}
ROOM = BLOCK - 12
"""Bytes of a block for entries: behind them is one that looks unused and has the checksum."""
_TAIL = struct.Struct("<IHBBI")
_TAIL_TYPE = 0xDE
_ENTRY = struct.Struct("<IHBB")
_LENGTH = struct.Struct("<H")
_LONGEST = 255
"""Bytes of a name: NAME_MAX of <linux/limits.h>."""


def blocks(number: int, parent: int, names: Iterable[tuple[int, Kind, bytes]]) -> list[bytes]:
    """Return the blocks of a folder, without what is behind the entries.

    number -- of its inode
    parent -- number of the inode of the folder in which it is
    names  -- inode, kind and name of what is in it
    Raises ValueError for a name that is too long.
    """
    found = []
    block = bytearray()
    last = 0
    dots: list[tuple[int, Kind, bytes]]
    dots = [(number, "directory", b"."), (parent, "directory", b"..")]
    for inode, kind, name in (*dots, *names):
        size = len(name)
        length = _ENTRY.size + size + -size % 4
        if size > _LONGEST:
            raise ValueError(f"the name {name!r} has more than {_LONGEST} bytes")
        if len(block) + length > ROOM:
            found.append(_closed(block, last))
            block = bytearray()
        last = len(block)
        block += _ENTRY.pack(inode, length, size, TYPES[kind]) + name + bytes(-size % 4)
    found.append(_closed(block, last))
    return found


def tail(checksum: int) -> bytes:
    """Return what is behind the entries of a block."""
    return _TAIL.pack(0, _TAIL.size, 0, _TAIL_TYPE, checksum)


def _closed(block: bytearray, last: int) -> bytes:
    """Return a block whose last entry, which begins at `last`, has all of the rest."""
    _LENGTH.pack_into(block, last + 4, ROOM - last)
    return bytes(block).ljust(ROOM, b"\0")
