from __future__ import annotations

import struct

import pytest

from quard.base.xattrs import Attributes, room
from quard.image import ext4_attributes

NAMES = {1: "user", 4: "trusted", 6: "security", 7: "system"}


def entries(data: bytes, start: int, base: int) -> list[tuple[str, bytes, int]]:
    """Return name, value and hash of each entry."""
    found = []
    while data[start : start + 4] != bytes(4):
        size, space, place, inode, length, number = struct.unpack_from("<BBHIII", data, start)
        assert inode == 0
        name = data[start + 16 : start + 16 + size].decode()
        value = data[base + place : base + place + length]
        found.append((f"{NAMES[space]}.{name}", value, number))
        start += 16 + size + -size % 4
    return found


def test_attributes_that_fit_are_in_the_inode_without_a_hash() -> None:
    given: Attributes = (("security.capability", bytes(range(20))), ("user.a", b"abc"))
    assert ext4_attributes.divide(given) == (given, ())
    data = ext4_attributes.in_inode(given)
    assert len(data) == 96
    assert data[:4] == b"\0\0\x02\xea"
    assert entries(data, 4, 4) == [(name, value, 0) for name, value in given]


def test_room_is_used_to_the_last_byte() -> None:
    given = (("user.abcd", b"v" * 68),)
    assert room(given) == ext4_attributes.MOST_IN_INODE
    data = ext4_attributes.in_inode(given)
    assert entries(data, 4, 4) == [("user.abcd", b"v" * 68, 0)]
    assert ext4_attributes.divide((("user.abcd", b"v" * 69),))[0] == ()


def test_later_ones_fill_the_inode_when_an_earlier_one_does_not_fit() -> None:
    given = (("security.x", b"v" * 100), ("user.a", b"1"), ("user.b", b"2"))
    assert ext4_attributes.divide(given) == (given[1:], given[:1])


def test_entries_of_a_block_are_sorted_as_linux_looks_for_them() -> None:
    given = (("security.x", b"1"), ("user.bb", b""), ("user.c", b"12345"), ("trusted.y", b"3"))
    data = ext4_attributes.in_block(given)
    assert len(data) == 4096
    assert struct.unpack_from("<5I", data) == (0xEA020000, 1, 1, 0, 0)
    names = [name for name, *_ in entries(data, 32, 0)]
    assert names == ["user.c", "user.bb", "trusted.y", "security.x"]
    assert {name: value for name, value, _ in entries(data, 32, 0)} == dict(given)


def test_hashes_are_those_that_debugfs_writes() -> None:
    given = (("user.bcd", b""), ("user.b", b"q" * 20), ("user.zz", b"z" * 300))
    found = {name: number for name, _, number in entries(ext4_attributes.in_block(given), 32, 0)}
    assert found == {"user.bcd": 0x00018404, "user.b": 0x71137171, "user.zz": 0x7540_7A7A}


def test_block_holds_what_a_permission_may_have_and_no_more() -> None:
    most = (("user.abcd", b"v" * 4040),)
    assert room(most) == 4060
    assert entries(ext4_attributes.in_block(most), 32, 0)[0][1] == b"v" * 4040
    with pytest.raises(ValueError, match="no room"):
        ext4_attributes.in_block((("user.abcd", b"v" * 4041),))


def test_unknown_namespaces_are_refused() -> None:
    with pytest.raises(ValueError, match=r"other\.name"):
        ext4_attributes.in_inode((("other.name", b""),))


def test_checksum_is_in_the_header() -> None:
    block = ext4_attributes.in_block((("user.a", b"1"),))
    found = ext4_attributes.with_checksum(block, 0x01020304)
    assert found[16:20] == b"\x04\x03\x02\x01"
    assert found[:16] + bytes(4) + found[20:] == block
