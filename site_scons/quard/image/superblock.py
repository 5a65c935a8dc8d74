"""The superblock of a squashfs (Linux: fs/squashfs/squashfs_fs.h)."""

from __future__ import annotations

import struct
from dataclasses import astuple

from quard.base.record import Record, record

LENGTH = 96
ZSTD = 6
"""Number of the compressor zstd."""
PLAIN_INODES, PLAIN_IDS, PLAIN_ATTRIBUTES = 0x1, 0x800, 0x100
"""Flags: tables that are not compressed."""
NO_FRAGMENTS, NO_ATTRIBUTES, SHARED_DATA, OPTIONS = 0x10, 0x200, 0x40, 0x400
"""Flags: no file has a fragment, an attribute; equal files have the same data; the options of the
compressor follow the superblock."""
NOWHERE = 0xFFFFFFFFFFFFFFFF
"""Place of a missing table."""
_FORMAT = struct.Struct("<4s4I6H8Q")
_MAGIC = b"hsqs"
_VERSION = (4, 0)


@record(kw_only=True)
class Superblock(Record):
    """The fields of a superblock, in their order. Places are bytes from the file's begin.

    mtime     -- of the file system, seconds since 1970
    block     -- bytes of a block
    fragments -- their number
    ids       -- number of user and group ids
    root      -- reference of the root folder's inode
    used      -- bytes of the file system
    """

    inodes: int
    mtime: int
    block: int
    fragments: int
    compressor: int
    flags: int
    ids: int
    root: int
    used: int
    id_table: int
    attribute_table: int
    inode_table: int
    folder_table: int
    fragment_table: int
    export_table: int = NOWHERE

    def encode(self) -> bytes:
        """Return the bytes. Raises struct.error for a number that is too large."""
        fields = astuple(self)
        log = self.block.bit_length() - 1
        head = (_MAGIC, *fields[:4], self.compressor, log, self.flags, self.ids, *_VERSION)
        return _FORMAT.pack(*head, *fields[7:])


def decode(data: bytes) -> Superblock:
    """Return the superblock at the begin of a file system. Raises ValueError."""
    if len(data) < LENGTH:
        raise ValueError("it has no superblock")
    magic, *fields = _FORMAT.unpack_from(data)
    if magic != _MAGIC or tuple(fields[8:10]) != _VERSION:
        raise ValueError("it is no squashfs 4.0")
    inodes, mtime, block, fragments, compressor, _, flags, ids = fields[:8]
    names = ("root", "used", "id_table", "attribute_table", "inode_table", "folder_table")
    tables = dict(zip((*names, "fragment_table", "export_table"), fields[10:], strict=True))
    return Superblock(
        inodes=inodes,
        mtime=mtime,
        block=block,
        fragments=fragments,
        compressor=compressor,
        flags=flags,
        ids=ids,
        **tables,
    )
