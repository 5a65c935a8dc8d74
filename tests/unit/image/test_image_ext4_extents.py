from __future__ import annotations

import itertools
import struct

import pytest

from quard.image.ext4_extents import Extent, add, tree

MAGIC = 0xF30A


def read(root: bytes, blocks: dict[int, bytes]) -> list[Extent]:
    """Return the extents of a tree, as Linux reads it (ext4_find_extent)."""
    magic, count, most, depth, _ = struct.unpack_from("<4HI", root)
    assert magic == MAGIC and count <= most == (len(root) - 12) // 12
    found: list[Extent] = []
    for start in range(12, 12 + 12 * count, 12):
        if depth:
            first, low, high, _ = struct.unpack_from("<2I2H", root, start)
            below = blocks[high << 32 | low]
            inside = read(below, blocks)
            assert struct.unpack_from("<H", below, 6)[0] == depth - 1
            assert inside[0][0] == first
            found += inside
        else:
            first, length, high, low = struct.unpack_from("<I2HI", root, start)
            found.append((first, high << 32 | low, length))
    return found


@pytest.mark.parametrize(
    ("count", "depth", "others"),
    [
        (0, 0, 0),
        (4, 0, 0),
        (5, 1, 1),
        (340, 1, 1),
        (341, 1, 2),
        (4 * 340, 1, 4),
        (4 * 340 + 1, 2, 6),
        (4 * 340 * 340, 2, 4 * 340 + 4),
        (4 * 340 * 340 + 1, 3, 4 * 340 + 1 + 5 + 1),
    ],
)
def test_tree_is_as_low_and_full_as_possible(count: int, depth: int, others: int) -> None:
    extents = [(2 * number, (1 << 33) + 3 * number, 1) for number in range(count)]
    numbers = itertools.count((1 << 32) + 5)
    root, blocks = tree(extents, lambda: next(numbers))
    assert struct.unpack_from("<H", root, 6)[0] == depth
    assert len(blocks) == others
    assert {len(block) for _, block in blocks} <= {4092}
    assert read(root.ljust(60, b"\0"), dict(blocks)) == extents


def test_neighbours_are_joined_up_to_the_longest_extent() -> None:
    extents: list[Extent] = []
    add(extents, (0, 100, 10))
    add(extents, (10, 110, 32750))
    add(extents, (32760, 32860, 9))
    assert extents == [(0, 100, 32760), (32760, 32860, 9)]


@pytest.mark.parametrize("other", [(11, 110, 1), (10, 111, 1), (10, 109, 1)])
def test_holes_and_jumps_begin_an_extent(other: Extent) -> None:
    extents = [(0, 100, 10)]
    add(extents, other)
    assert extents == [(0, 100, 10), other]


def test_long_run_is_several_extents() -> None:
    extents: list[Extent] = []
    add(extents, (7, 50, 70000))
    assert extents == [(7, 50, 32768), (32775, 32818, 32768), (65543, 65586, 4464)]
