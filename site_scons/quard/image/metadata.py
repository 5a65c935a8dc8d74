"""Tables of a squashfs, in metadata blocks of 8 KiB (Linux: fs/squashfs/squashfs_fs.h).

The blocks are stored as they are. So the place of each entry is known before those behind it, no
program has to be started for them, and an image becomes a few thousandths larger.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from quard.base.xattrs import Attributes

NO_ATTRIBUTES = 0xFFFFFFFF
"""Number of the set of attributes of a file without any."""
_BLOCK = 8192
_PLAIN = 0x8000
"""Bit in the header of a block that is not compressed."""
_HEADER = 2
"""Bytes of the header."""
_NAMESPACES = {"user": 0, "trusted": 1, "security": 2}


def behind(place: int, size: int) -> int:
    """Return the reference of the place some bytes behind another one in a table."""
    blocks, offset = divmod((place & 0xFFFF) + size, _BLOCK)
    return ((place >> 16) + blocks * (_BLOCK + _HEADER)) << 16 | offset


class Table:
    """A sequence of metadata blocks."""

    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, data: bytes) -> int:
        """Append bytes, and return the reference of their place."""
        place = self.place
        self._data += data
        return place

    @property
    def place(self) -> int:
        """The reference of the end: its offset in a block, and above 16 bits where that begins."""
        return behind(0, len(self._data))

    def encode(self) -> bytes:
        """Return the blocks."""
        return b"".join(self._blocks())

    def indexed(self, start: int, head: bytes = b"") -> tuple[bytes, int]:
        """Return the blocks with a list of their places behind them, and the place of the list.

        start -- place of the first block in the file system
        head  -- begins the list
        """
        blocks, places, end = [*self._blocks()], [], start
        for block in blocks:
            places.append(end)
            end += len(block)
        return b"".join((*blocks, head, struct.pack(f"<{len(places)}Q", *places))), end

    def _blocks(self) -> Iterator[bytes]:
        for start in range(0, len(self._data), _BLOCK):
            data = self._data[start : start + _BLOCK]
            yield (_PLAIN | len(data)).to_bytes(_HEADER, "little") + data


class Sets:
    """Sets of attributes; files with the same ones share a set."""

    def __init__(self) -> None:
        self._values = Table()
        self._sets = Table()
        self._numbers: dict[Attributes, int] = {}

    def number(self, attributes: Attributes) -> int:
        """Return the number of a set. Raises ValueError for an attribute of another namespace."""
        if not attributes:
            return NO_ATTRIBUTES
        if attributes not in self._numbers:
            data = b"".join(_attribute(name, value) for name, value in attributes)
            place = self._values.add(data)
            self._sets.add(struct.pack("<QII", place, len(attributes), len(data)))
            self._numbers[attributes] = len(self._numbers)
        return self._numbers[attributes]

    def encode(self, start: int) -> tuple[bytes, int]:
        """Return the tables and the place of their list; no bytes if there are no sets.

        start -- place of the tables in the file system
        """
        if not self._numbers:
            return b"", start
        values = self._values.encode()
        head = struct.pack("<QII", start, len(self._numbers), 0)
        sets, place = self._sets.indexed(start + len(values), head)
        return values + sets, place


def _attribute(name: str, value: bytes) -> bytes:
    space, _, rest = name.partition(".")
    if space not in _NAMESPACES:
        raise ValueError(f"there is no place for the attribute {name}")
    key = rest.encode()
    head = struct.pack("<HH", _NAMESPACES[space], len(key))
    return b"".join((head, key, struct.pack("<I", len(value)), value))
