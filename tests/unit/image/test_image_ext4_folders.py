from __future__ import annotations

import random
import struct

import pytest

from quard.image.ext4_folders import ROOM, TYPES, blocks, tail
from quard.image.tree import Kind

Names = list[tuple[int, Kind, bytes]]


def read(block: bytes) -> list[tuple[int, int, bytes]]:
    """Return inode, type and name of each entry; they fill the block."""
    found, place = [], 0
    while place < len(block):
        inode, length, size, kind = struct.unpack_from("<IHBB", block, place)
        assert length % 4 == 0 and length >= 8 + size
        found.append((inode, kind, block[place + 8 : place + 8 + size]))
        place += length
    assert place == len(block)
    return found


def test_dots_are_first_and_the_last_entry_has_the_rest() -> None:
    (block,) = blocks(30, 2, [(31, "file", b"a"), (32, "link", b"abcde")])
    assert len(block) == ROOM
    assert read(block) == [(30, 2, b"."), (2, 2, b".."), (31, 1, b"a"), (32, 7, b"abcde")]


def test_empty_folder_has_the_dots_alone() -> None:
    (block,) = blocks(12, 12, [])
    assert [name for *_, name in read(block)] == [b".", b".."]


@pytest.mark.parametrize("seed", range(5))
def test_names_of_any_length_keep_their_order(seed: int) -> None:
    source = random.Random(seed)
    kinds = list(TYPES)
    names: Names = [
        (number, source.choice(kinds), source.randbytes(source.randint(1, 255)))
        for number in range(12, 400)
    ]
    found = [entry for block in blocks(11, 2, names) for entry in read(block)]
    assert found[2:] == [(number, TYPES[kind], name) for number, kind, name in names]


def test_block_is_filled_to_its_last_byte() -> None:
    names: Names = [(12, "file", bytes([65 + number]) * 252) for number in range(15)]
    rest = ROOM - 24 - 15 * 260
    exactly: Names = [*names, (12, "file", b"x" * (rest - 8))]
    assert len(blocks(11, 2, exactly)) == 1
    more: Names = [*names, (12, "file", b"x" * (rest - 7))]
    assert [len(read(block)) for block in blocks(11, 2, more)] == [17, 1]


def test_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 255 bytes"):
        blocks(11, 2, [(12, "file", b"n" * 256)])


def test_tail_looks_unused_and_has_the_checksum() -> None:
    assert struct.unpack("<IHBBI", tail(0xDEADBEEF)) == (0, 12, 0, 0xDE, 0xDEADBEEF)
    assert ROOM + len(tail(0)) == 4096
