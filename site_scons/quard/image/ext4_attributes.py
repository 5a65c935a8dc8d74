"""Extended attributes of ext4, in the inode as far as they fit, the others in a block.

Linux: Documentation/filesystems/ext4/attributes.rst.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from quard.base.xattrs import Attributes, room
from quard.image.ext4_groups import BLOCK

IN_INODE = 96
"""Bytes in an inode of 256 bytes behind its fields."""
MOST_IN_INODE = IN_INODE - 8
"""Bytes of attributes in an inode, as quard.base.xattrs.room counts them."""
_MAGIC = 0xEA020000
_HEADER = struct.Struct("<5I12x")
_ENTRY = struct.Struct("<BBHIII")
_CHECKSUM = 16
"""Place of the checksum in the header of a block."""
_NAMESPACES = {"user": 1, "trusted": 4, "security": 6, "system": 7}
"""Numbers of namespaces (Linux: fs/ext4/xattr.h)."""


def divide(attributes: Attributes) -> tuple[Attributes, Attributes]:
    """Return the attributes that are in the inode, and those that are in a block."""
    inside, outside = [], []
    left = MOST_IN_INODE
    for attribute in attributes:
        taken = room((attribute,))
        if taken > left:
            outside.append(attribute)
        else:
            inside.append(attribute)
            left -= taken
    return tuple(inside), tuple(outside)


def in_inode(attributes: Attributes) -> bytes:
    """Return what is behind the fields of an inode. Raises ValueError."""
    if not attributes:
        return b""
    head = _MAGIC.to_bytes(4, "little")
    return head + _encoded([_key(*each) for each in attributes], IN_INODE - 4, 0, hashed=False)


def in_block(attributes: Attributes) -> bytes:
    """Return a block, without its checksum. Raises ValueError if they do not fit.

    Linux expects the entries of a block in order.
    """
    keys = sorted((_key(*each) for each in attributes), key=lambda key: (key[0], len(key[1]), key))
    rest = BLOCK - _HEADER.size
    return _HEADER.pack(_MAGIC, 1, 1, 0, 0) + _encoded(keys, rest, _HEADER.size, hashed=True)


def with_checksum(block: bytes, checksum: int) -> bytes:
    """Return a block of attributes with its checksum."""
    return block[:_CHECKSUM] + checksum.to_bytes(4, "little") + block[_CHECKSUM + 4 :]


def _key(name: str, value: bytes) -> tuple[int, bytes, bytes]:
    """Return the number of the namespace, the rest of the name, and the value."""
    space, _, rest = name.partition(".")
    if space not in _NAMESPACES:
        raise ValueError(f"there is no place for the attribute {name}")
    return _NAMESPACES[space], rest.encode(), value


def _encoded(
    keys: Sequence[tuple[int, bytes, bytes]], size: int, before: int, *, hashed: bool
) -> bytes:
    """Return entries, from the begin on, and their values, from the end on.

    before -- bytes before the entries that the places of values count
    hashed -- with a hash in each entry, which those of an inode have not
    """
    entries, values, end = [], [], size
    for space, name, value in keys:
        padded = value + bytes(-len(value) % 4)
        end -= len(padded)
        place = end + before if value else 0
        number = _hash(name, padded) if hashed else 0
        entries.append(_ENTRY.pack(len(name), space, place, 0, len(value), number))
        entries.append(name + bytes(-len(name) % 4))
        values.append(padded)
    head, data = b"".join(entries), b"".join(reversed(values))
    if len(head) + 4 + len(data) > size:
        raise ValueError("there is no room for the attributes of a file")
    return head.ljust(size - len(data), b"\0") + data


def _hash(name: Iterable[int], padded: bytes) -> int:
    """Return the hash of an attribute (Linux: ext4_xattr_hash_entry)."""
    found = 0
    for byte in name:
        found = (found << 5 & 0xFFFFFFFF | found >> 27) ^ byte
    for (word,) in struct.iter_unpack("<I", padded):
        found = (found << 16 & 0xFFFFFFFF | found >> 16) ^ word
    return found
