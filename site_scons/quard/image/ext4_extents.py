"""Where the blocks of an ext4 file are: extents, in a tree of any depth.

Linux: Documentation/filesystems/ext4/ifork.rst, "Extent Tree".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from quard.image.ext4_groups import BLOCK

INLINE = 60
"""Bytes in an inode for the root of a tree, or for a short link's target."""
BEHIND = 4
"""Bytes behind the entries of a block of the tree, for its checksum."""
_MAGIC = 0xF30A
_HEADER = struct.Struct("<4HI")
_LEAF = struct.Struct("<I2HI")
_INDEX = struct.Struct("<2I2H")
_AT_ROOT = (INLINE - _HEADER.size) // _LEAF.size
_IN_BLOCK = (BLOCK - _HEADER.size) // _LEAF.size
_LONGEST = 1 << 15
"""Blocks of an extent; a larger length stands for one whose blocks are not written yet."""
Extent = tuple[int, int, int]
"""Number of the first block in the file, in the file system, and how many follow one another."""


def add(extents: list[Extent], extent: Extent) -> None:
    """Append an extent, or make the last one longer."""
    first, place, count = extent
    if extents:
        last, there, length = extents[-1]
        joined = last + length == first and there + length == place
        if joined and length + count <= _LONGEST:
            extents[-1] = last, there, length + count
            return
    while count:
        length = min(count, _LONGEST)
        extents.append((first, place, length))
        first, place, count = first + length, place + length, count - length


def tree(
    extents: Sequence[Extent], take: Callable[[], int]
) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Return the root of a tree, for the inode, and the other blocks of the tree.

    take -- returns the number of a free block
    Each block is returned with its number, and without its checksum.
    """
    firsts = [first for first, _, _ in extents]
    level = [_LEAF.pack(n, count, place >> 32, place & 0xFFFFFFFF) for n, place, count in extents]
    blocks: list[tuple[int, bytes]] = []
    depth = 0
    while len(level) > _AT_ROOT:
        starts = range(0, len(level), _IN_BLOCK)
        nodes = [_node(level[start : start + _IN_BLOCK], _IN_BLOCK, depth) for start in starts]
        numbers = [take() for _ in nodes]
        blocks += zip(numbers, (node.ljust(BLOCK - BEHIND, b"\0") for node in nodes), strict=True)
        firsts = [firsts[start] for start in starts]
        level = [
            _INDEX.pack(first, number & 0xFFFFFFFF, number >> 32, 0)
            for first, number in zip(firsts, numbers, strict=True)
        ]
        depth += 1
    return _node(level, _AT_ROOT, depth), blocks


def _node(entries: Sequence[bytes], most: int, depth: int) -> bytes:
    return _HEADER.pack(_MAGIC, len(entries), most, depth, 0) + b"".join(entries)
