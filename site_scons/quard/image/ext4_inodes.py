"""The inodes of an ext4 file system, and which name belongs to which.

Linux: Documentation/filesystems/ext4/inodes.rst.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from quard.base.errors import QuardError
from quard.image import tarimage, tree
from quard.image.crc32c import of_rows
from quard.image.ext4_attributes import IN_INODE
from quard.image.ext4_extents import INLINE
from quard.image.ext4_groups import BLOCK, FIRST, INODE, ROOT
from quard.image.roottar import Entries
from quard.image.tree import Node

_LOST, _LOST_NAME = FIRST - 1, "lost+found"
_FORM = struct.Struct(f"<2H5I2H3I{INLINE}s4I6H2H7I{IN_INODE}s")
_SUM_PLACES = (124, 125, 130, 131)
"""Places of the bytes of the checksum, the lowest first."""
_EXTRA = 32
"""Bytes of fields behind the first 128 of an inode."""
_EXTENTS = 0x80000
"""Flag of an inode that has extents."""
_SECTORS = BLOCK // 512
_MOST_LINKS = 65000
"""EXT4_LINK_MAX of Linux: fs/ext4/ext4.h; a folder with more has the count 1 instead."""


@dataclass(eq=False)
class Inode:
    """An inode.

    size     -- of the content, in bytes
    blocks   -- how many it has, with those of extents and attributes
    places   -- what is in the field for places of blocks
    extents  -- whether that is the root of a tree of extents
    inside   -- the attributes that are in the inode
    outside  -- number of the block with the others; 0: there is none
    """

    number: int
    node: Node
    mtime: int
    links: int = 1
    size: int = 0
    blocks: int = 0
    places: bytes = b""
    extents: bool = False
    inside: bytes = b""
    outside: int = 0


@dataclass(eq=False)
class Folder:
    """A folder, the one in which it is, and the names in it."""

    inode: Inode
    above: Inode
    names: list[tuple[bytes, Inode]] = field(default_factory=list)


def numbered(entries: Entries) -> tuple[list[Inode], list[Folder]]:
    """Return the inodes of the root and of all entries, and the folders.

    The first inode is that of the root, the others have the numbers from `FIRST` on.
    Raises QuardError: bad-tar, file-collision.
    """
    root = Inode(ROOT, tree.ROOT, tarimage.MTIME, links=2)
    inodes, folders = [root], {"": Folder(root, root)}
    if _LOST_NAME in entries:
        raise QuardError(
            f"/{_LOST_NAME} is in the image and in every ext4 file system",
            reason="file-collision",
            hint="rename it, or remove ext4 from image.formats in the board's file",
        )
    lost = Inode(_LOST, Node("directory", 0o700), tarimage.MTIME)
    _enter(folders[""], _LOST_NAME, lost)
    known: dict[Node, Inode] = {}
    for name, (node, mtime) in entries.items():
        parent, _, base = name.rpartition("/")
        if parent not in folders:
            raise tarimage.bad_tar("rootfs.tar", f"{name} comes before its folder")
        inode = known.get(node)
        if inode is None:
            inode = known[node] = Inode(FIRST - 1 + len(inodes), node, mtime)
            inodes.append(inode)
        else:
            inode.links += 1
        _enter(folders[parent], base, inode)
        if node.kind == "directory":
            inode.links = 2
            folders[name] = Folder(inode, folders[parent].inode)
    return inodes, [*folders.values()]


def _enter(folder: Folder, base: str, inode: Inode) -> None:
    folder.names.append((base.encode(), inode))
    if inode.node.kind == "directory":
        folder.inode.links += 1  # its entry ..


def seeds(inodes: Sequence[Inode], seed: int) -> bytes:
    """Return the checksums that those of inodes and of their blocks begin with, as words.

    seed -- that of the file system
    """
    generation = bytes(4)
    rows = b"".join(inode.number.to_bytes(4, "little") + generation for inode in inodes)
    return of_rows(rows, 8, seed.to_bytes(4, "little") * len(inodes))


def device(major: int, minor: int) -> bytes:
    """Return the field for places of a device's inode (Linux: ext4_iget and ext4_fill_raw_inode).

    Raises ValueError for a number that is too large.
    """
    if major < 1 << 8 and minor < 1 << 8:
        return struct.pack("<I", major << 8 | minor)
    if major >= 1 << 12 or minor >= 1 << 20:
        raise ValueError(f"there is no place for the device {major}:{minor}")
    return struct.pack("<2I", 0, minor & 0xFF | major << 8 | (minor & ~0xFF) << 12)


def table(inodes: Sequence[Inode], begins: bytes) -> bytes:
    """Return the bytes of inodes.

    begins -- see `seeds`
    Raises ValueError or struct.error for what an inode cannot hold.
    """
    found = bytearray().join(map(_encoded, inodes))
    sums = of_rows(found, INODE, begins)
    for number, place in enumerate(_SUM_PLACES):
        found[place::INODE] = sums[number::4]
    return bytes(found)


def _encoded(inode: Inode) -> bytes:
    """Return an inode without its checksum."""
    node, size, outside = inode.node, inode.size, inode.outside
    sectors = inode.blocks * _SECTORS
    low, epoch = _time(inode.mtime)
    first = tarimage.MTIME
    return _FORM.pack(
        *(node.st_mode, node.uid & 0xFFFF, size & 0xFFFFFFFF, first, first, low, 0),
        *(node.gid & 0xFFFF, _links(inode), sectors & 0xFFFFFFFF, _EXTENTS * inode.extents, 0),
        inode.places,
        *(0, outside & 0xFFFFFFFF, size >> 32, 0),
        *(sectors >> 32, outside >> 32, node.uid >> 16, node.gid >> 16, 0, 0),
        *(_EXTRA, 0, 0, epoch, 0, first, 0, 0, 0),
        inode.inside,
    )


def _time(seconds: int) -> tuple[int, int]:
    """Return the lower 32 bits of a time, and the two more bits that ext4 has for it."""
    low = seconds & 0xFFFFFFFF
    signed = low - (low >> 31 << 32)
    epoch = seconds - signed >> 32
    if not 0 <= epoch <= 3:
        raise ValueError(f"there is no place for the time {seconds}")
    return low, epoch


def _links(inode: Inode) -> int:
    if inode.links <= _MOST_LINKS:
        return inode.links
    if inode.node.kind == "directory":
        return 1
    raise ValueError(f"a file has {inode.links} links, and {_MOST_LINKS} at most are possible")
