"""The inodes and folders of a squashfs (Linux: fs/squashfs/squashfs_fs.h).

What is in a folder is written before the folder itself, whose entries refer to it.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from quard.base.record import Record, record
from quard.image import tarimage
from quard.image.metadata import NO_ATTRIBUTES, Sets, Table, behind
from quard.image.packing import Data, word
from quard.image.tree import ROOT, Kind, Node

_TYPES: dict[Kind, int] = {
    "directory": 1,
    "file": 2,
    "link": 3,
    "block": 4,
    "char": 5,
    "fifo": 6,
}
_EXTENDED = 7
"""Added to the type of an inode that has more fields."""
_MOST = 0xFFFFFFFF
"""The largest place and size in the fields of a file that is not extended."""
_LARGEST_FOLDER = 0xFFFF
"""The largest size of a folder that is not extended."""
_DOTS = 3
"""What the size of a folder counts for the entries . and .. which are not written."""
_BEHIND_HEADER = 256
"""The most entries behind a header in a folder."""
_LONGEST = 255
"""Bytes of a name: NAME_MAX of <linux/limits.h>."""


@record
class _Entry(Record):
    """A name in a folder, with the number and the reference of its inode."""

    name: bytes
    kind: Kind
    number: int
    place: int


class Inodes:
    """Inodes and folders, and the tables that they refer to.

    entries -- name -> node and time, folders before what is in them
    data    -- of each file
    sizes   -- bytes of each block, by name
    Raises QuardError bad-tar for entries that cannot be written.
    """

    def __init__(
        self,
        entries: Mapping[str, tuple[Node, int]],
        data: Mapping[Node, Data],
        sizes: Mapping[str, int],
    ) -> None:
        self.inodes, self.folders = Table(), Table()
        self.sets = Sets()
        self._ids: dict[int, int] = {}
        self._entries = {"": (ROOT, tarimage.MTIME), **entries}
        self._data = data
        self._sizes = sizes
        self._inside = _folders(entries)
        self._links = Counter(node for node, _ in entries.values())
        self._numbers = self._numbered()
        self._places: dict[Node, int] = {}
        try:
            for folder, names in reversed(self._inside.items()):
                self._folder(folder, names)
        except (ValueError, struct.error) as error:
            raise tarimage.bad_tar("rootfs.tar", f"a squashfs cannot hold it: {error}") from error

    @property
    def count(self) -> int:
        """The number of inodes."""
        return len(self._numbers)

    @property
    def root(self) -> int:
        """The reference of the root folder."""
        return self._places[ROOT]

    @property
    def ids(self) -> Sequence[int]:
        """The ids of users and groups, by number."""
        return tuple(self._ids)

    def _numbered(self) -> dict[Node, int]:
        """Return the number of each inode, from 1 on in the order of their places."""
        found: dict[Node, int] = {}
        for folder, names in reversed(self._inside.items()):
            for name in (*names, folder):
                node = self._entries[name][0]
                if node.kind != "directory" or name == folder:
                    found.setdefault(node, len(found) + 1)
        return found

    def _folder(self, folder: str, names: Sequence[str]) -> None:
        """Write a folder, and the inodes of what is in it and is no folder."""
        entries = []
        for name in names:
            node = self._entries[name][0]
            if node not in self._places:
                self._places[node] = self._write(name, *self._fields(node))
            base = name.rpartition("/")[2].encode()
            entries.append(_Entry(base, node.kind, self._numbers[node], self._places[node]))
        listing, heads = _listing(entries)
        place = self.folders.add(listing)
        subfolders = sum(entry.kind == "directory" for entry in entries)
        node = self._entries[folder][0]
        parent = self._entries[folder.rpartition("/")[0]][0]
        above = self._numbers[parent] if folder else self.count + 1
        self._places[node] = self._write(
            folder,
            *_folder_fields(
                place,
                [*_index(place, heads)],
                len(listing) + _DOTS,
                2 + subfolders,
                above,
                self.sets.number(node.attributes),
            ),
        )

    def _write(self, name: str, extended: bool, fields: bytes) -> int:
        """Write an inode and return its reference."""
        node, mtime = self._entries[name]
        ids = (self._ids.setdefault(each, len(self._ids)) for each in (node.uid, node.gid))
        kind = _TYPES[node.kind] + (_EXTENDED if extended else 0)
        header = struct.pack("<4H2I", kind, node.mode, *ids, mtime, self._numbers[node])
        return self.inodes.add(header + fields)

    def _fields(self, node: Node) -> tuple[bool, bytes]:
        """Return the fields behind the header of an inode that is no folder."""
        attributes, links = self.sets.number(node.attributes), self._links[node]
        if node.kind == "file":
            data = self._data[node]
            return _file_fields(data, self._sizes, links, attributes)
        fields = struct.pack("<I", links)
        if node.kind == "link":
            target = node.target.encode()
            fields += struct.pack("<I", len(target)) + target
        elif node.kind in ("char", "block"):
            fields += struct.pack("<I", _device(*node.device))
        if attributes == NO_ATTRIBUTES:
            return False, fields
        return True, fields + struct.pack("<I", attributes)


def _folders(entries: Mapping[str, tuple[Node, int]]) -> dict[str, list[str]]:
    """Return the names in each folder, "" for the root; a folder comes before those in it."""
    found: dict[str, list[str]] = {"": []}
    for name, (node, _) in entries.items():
        parent = name.rpartition("/")[0]
        if parent not in found:
            raise tarimage.bad_tar("rootfs.tar", f"{name} comes before its folder")
        found[parent].append(name)
        if node.kind == "directory":
            found[name] = []
    return found


def _folder_fields(
    place: int, index: Sequence[bytes], size: int, links: int, parent: int, attributes: int
) -> tuple[bool, bytes]:
    """Return whether a folder is extended, and the fields behind its header.

    place  -- reference of its entries
    index  -- see `_index`
    parent -- number of the folder in which it is
    """
    block, offset = place >> 16, place & 0xFFFF
    if size <= _LARGEST_FOLDER and attributes == NO_ATTRIBUTES:
        return False, struct.pack("<2I2HI", block, links, size, offset, parent)
    fields = (links, size, block, parent, len(index), offset, attributes)
    return True, b"".join((struct.pack("<4I2HI", *fields), *index))


def _file_fields(
    data: Data, sizes: Mapping[str, int], links: int, attributes: int
) -> tuple[bool, bytes]:
    """Return whether a file is extended, and the fields behind its header."""
    words = (word(sizes[block.name]) if block else 0 for block in data.blocks)
    listed = struct.pack(f"<{len(data.blocks)}I", *words)
    zeros, tail = data.zeros, (data.fragment, data.offset)
    small = max(data.start, data.size) <= _MOST
    if small and links == 1 and attributes == NO_ATTRIBUTES and not zeros:
        return False, struct.pack("<4I", data.start, *tail, data.size) + listed
    fields = (data.start, data.size, zeros, links, *tail, attributes)
    return True, struct.pack("<3Q4I", *fields) + listed


def _device(major: int, minor: int) -> int:
    """Return a device as Linux stores it in 32 bits (new_encode_dev of <linux/kdev_t.h>)."""
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12


def _listing(entries: Sequence[_Entry]) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Return the entries of a folder, sorted by the bytes of their names, and its headers.

    Of each header, the place in the entries and the name behind it are returned.
    """
    found = bytearray()
    heads: list[tuple[int, bytes]] = []
    for group in _groups(sorted(entries, key=lambda each: each.name)):
        heads.append((len(found), group[0].name))
        found += b"".join(_with_header(group))
    return bytes(found), heads


def _groups(entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
    """Yield the entries that are together behind a header: their inodes are in one block.

    So their numbers differ by a few hundred at most, and an entry has 16 bits for that.
    """
    group: list[_Entry] = []
    for entry in entries:
        if group and (len(group) == _BEHIND_HEADER or entry.place >> 16 != group[0].place >> 16):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _index(place: int, heads: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    """Yield a row of a folder's index for the first header in each further block of its entries.

    Linux begins to look for a name there, instead of at the folder's begin.

    place -- reference of the entries
    """
    last = place >> 16
    for offset, name in heads:
        block = behind(place, offset) >> 16
        if block != last:
            yield struct.pack("<3I", offset, block, len(name) - 1) + name
            last = block


def _with_header(group: Sequence[_Entry]) -> Iterator[bytes]:
    first = group[0]
    yield struct.pack("<3I", len(group) - 1, first.place >> 16, first.number)
    for entry in group:
        if len(entry.name) > _LONGEST:
            raise ValueError(f"the name {entry.name!r} has more than {_LONGEST} bytes")
        offset, distance = entry.place & 0xFFFF, entry.number - first.number
        size = len(entry.name) - 1
        yield struct.pack("<HhHH", offset, distance, _TYPES[entry.kind], size) + entry.name
