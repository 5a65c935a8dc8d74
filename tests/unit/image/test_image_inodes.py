"""The index of a large folder of a squashfs, used as Linux does (fs/squashfs/namei.c)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest

from quard.image.inodes import Inodes
from quard.image.metadata import Table
from quard.image.tree import Node

BLOCK = 8192


@dataclass
class Cursor:
    """A place in a table of metadata blocks, which are all stored as they are."""

    data: bytes
    block: int
    offset: int

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            (header,) = struct.unpack_from("<H", self.data, self.block)
            length = header & 0x7FFF
            assert header & 0x8000 and (
                length == BLOCK or self.block + 2 + length == len(self.data)
            )
            start = self.block + 2 + self.offset
            piece = self.data[start : start + min(size - len(found), length - self.offset)]
            found += piece
            self.offset += len(piece)
            if self.offset == BLOCK:
                self.block, self.offset = self.block + 2 + length, 0
            assert piece or len(found) == size, "it ends"
        return found

    def unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.read(struct.calcsize(form)))


def inodes(count: int, sizes: int) -> tuple[Inodes, dict[bytes, Node]]:
    """Return inodes of a folder `many` with links, and these by name."""
    names = [f"{number:0{sizes}}" for number in range(count)]
    links = {name: Node("link", 0o777, target=name) for name in names}
    folder = Node("directory", 0o755)
    entries = {"many": folder, **{f"many/{name}": link for name, link in links.items()}}
    entries |= {"z": Node("directory", 0o755), "z/written first": Node("fifo", 0o600)}
    found = Inodes({name: (node, 1) for name, node in entries.items()}, {}, {})
    return found, {name.encode(): link for name, link in links.items()}


def at(table: Table, reference: int) -> Cursor:
    return Cursor(table.encode(), reference >> 16, reference & 0xFFFF)


def folder(found: Inodes) -> Cursor:
    """Return the place of the inode of `many`, which the root folder names."""
    root = at(found.inodes, found.root)
    kind, *_ = root.unpack("<4H2I")
    assert kind == 1
    block, _, size, offset, _ = root.unpack("<2I2HI")
    listing = Cursor(found.folders.encode(), block, offset)
    names = {}
    while size > 3:
        count, start, _ = listing.unpack("<3I")
        size -= 12
        for _ in range(count + 1):
            place, _, _, last = listing.unpack("<HhHH")
            names[listing.read(last + 1)] = start << 16 | place
            size -= 8 + last + 1
    assert size == 3 and names.keys() == {b"many", b"z"}
    return at(found.inodes, names[b"many"])


def looked_up(found: Inodes, name: bytes) -> tuple[int, int, int]:
    """Return the reference and number of the inode with a name in `many`, and bytes read for it."""
    inode = folder(found)
    kind, *_ = inode.unpack("<4H2I")
    assert kind == 8
    _, size, block, _, rows, offset, _ = inode.unpack("<4I2HI")
    length = 0
    for _ in range(rows):
        index, start, last = inode.unpack("<3I")
        if inode.read(last + 1) > name:
            break
        length, block = index, start
    listing = Cursor(found.folders.encode(), block, (length + offset) % BLOCK)
    read = 0
    while length + read < size - 3:
        count, start, number = listing.unpack("<3I")
        read += 12
        for _ in range(count + 1):
            place, distance, _, last = listing.unpack("<HhHH")
            read += 8 + last + 1
            if listing.read(last + 1) == name:
                return start << 16 | place, number + distance, read
    raise AssertionError(f"{name!r} is not found")


@pytest.mark.parametrize(("count", "size"), [(3000, 20), (900, 80), (400, 255)])
def test_each_name_is_found_from_the_header_that_the_index_says(count: int, size: int) -> None:
    found, links = inodes(count, size)
    numbers = set()
    for name, link in [*links.items()][:: count // 100]:
        reference, number, read = looked_up(found, name)
        inode = at(found.inodes, reference)
        assert inode.unpack("<4H2I")[0::5] == (3, number)
        assert inode.unpack("<2I") == (1, len(link.target))
        assert inode.read(len(link.target)) == name
        assert read < 3 * BLOCK, "the folder is not read from its begin"
        numbers.add(number)
    assert len(numbers) >= 100


def test_a_header_has_at_most_256_entries() -> None:
    found = Inodes({f"{number:03}": (Node("fifo", 0o600), 1) for number in range(800)}, {}, {})
    root = at(found.inodes, found.root)
    root.unpack("<4H2I")
    block, _, size, offset, _ = root.unpack("<2I2HI")
    assert (block, offset) == (0, 0)
    listing, headers = at(found.folders, 0), []
    while size > 3:
        headers.append(listing.unpack("<3I")[0] + 1)
        listing.read(headers[-1] * 11)
        size -= 12 + headers[-1] * 11
    assert (sum(headers), max(headers)) == (800, 256)


def test_a_small_folder_has_no_index() -> None:
    found, _ = inodes(9, 20)
    assert folder(found).unpack("<4H2I")[0] == 1
