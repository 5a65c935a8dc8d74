"""The groups of a new ext4 file system: which blocks and inodes are free, and giving them out.

mke2fs has made the file system, and has taken what the groups themselves need. The rest is given
out in order. Linux: Documentation/filesystems/ext4/globals.rst.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quard.base.errors import QuardError
from quard.image import crc32c
from quard.image.write import write_at

BLOCK = 4096
"""Bytes of a block."""
INODE = 256
"""Bytes of an inode."""
ROOT, FIRST = 2, 12
"""Numbers of the inode of the root folder, and of the first one that is free."""
_SIZE = 1024
"""Bytes of the superblock, which begins at the same place."""
_UUID = slice(104, 120)
_FEATURES = struct.pack("<3I", 0x3C, 0x2C2, 0x46B)
"""has_journal, ext_attr, resize_inode, dir_index; filetype, extent, 64bit, flex_bg; sparse_super,
large_file, huge_file, dir_nlink, extra_isize, metadata_csum (Linux: fs/ext4/ext4.h)."""
_FEATURE_WORDS = slice(92, 104)
_IN_GROUP = BLOCK * 8
"""Blocks of a group: as many as its bitmap has bits."""
_DESCRIPTOR = 64
_NO_INODES, _NO_BLOCKS = 1, 2
"""Flags of a group without any, whose bitmap is not written."""
_FREE_BLOCKS, _FREE_INODES, _FOLDERS, _UNUSED = (12, 44), (14, 46), (16, 48), (28, 50)
"""Places of the lower and the upper half of numbers in a descriptor."""
_BLOCK_SUM, _INODE_SUM = (24, 56), (26, 58)
_FLAGS, _SUM = 18, 30
_FIRST_PLACE = 60
"""Place of the first extent's block in an inode."""


@dataclass(eq=False)
class _Group:
    """What has changed in a group; the lowest bit of a bitmap is for the first block or inode.

    blocks  -- bitmap of those that are taken
    free    -- number of the others
    inodes  -- how many are taken, which are the first ones
    folders -- how many inodes have become folders
    """

    blocks: int
    free: int
    inodes: int = 0
    folders: int = 0


class Groups:
    """The groups of the file system in an open file.

    Raises ValueError if it is not what mke2fs makes with the features that are asked for.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._superblock = bytearray(os.pread(file, _SIZE, _SIZE))
        if self._superblock[_FEATURE_WORDS] != _FEATURES:
            raise ValueError("the empty file system has other features than it should have")
        self.seed = crc32c.of([bytes(self._superblock[_UUID])], [crc32c.START])[0]
        self._blocks = self._word(4) | self._word(336) << 32
        self._inodes, self._per_group = self._word(0), self._word(40)
        self._count = -(-self._blocks // _IN_GROUP)
        self._descriptors = bytearray(os.pread(file, self._count * _DESCRIPTOR, BLOCK))
        self._changed: dict[int, _Group] = {}
        self._runs = self._free_runs()
        self._place = self._left = 0

    def take(self, count: int) -> Iterator[tuple[int, int]]:
        """Take blocks: yield the first of each run, and how many it has.

        Raises QuardError image-too-small.
        """
        while count:
            if not self._left:
                self._place, self._left = next(self._runs, (0, 0))
                if not self._left:
                    raise too_small("no block is left")
            place, length = self._place, min(count, self._left)
            self._place, self._left = place + length, self._left - length
            yield place, length
            count -= length

    def take_one(self) -> int:
        """Take a block and return its number. Raises QuardError image-too-small."""
        ((place, _),) = self.take(1)
        return place

    def take_inodes(self, count: int, folders: Iterable[int]) -> None:
        """Take inodes from `FIRST` on; those of `folders` are for folders.

        Raises QuardError image-too-small.
        """
        last = FIRST - 1 + count
        if last > self._inodes:
            raise too_small(f"it has {self._inodes} inodes, and {last} are needed")
        for number in range(-(-last // self._per_group)):
            inodes = min(last - number * self._per_group, self._per_group)
            self._group(number).inodes = inodes
        for inode in folders:
            self._group((inode - 1) // self._per_group).folders += 1
        struct.pack_into("<I", self._superblock, 16, self._inodes - last)

    def inodes(self, first: int, count: int) -> Iterator[tuple[int, int]]:
        """Yield where inodes are in the file, from one number on, and how many are there."""
        index = first - 1
        while count:
            group, before = divmod(index, self._per_group)
            length = min(count, self._per_group - before)
            yield self._field(group, 8, 40, "I") * BLOCK + before * INODE, length
            index, count = index + length, count - length

    @property
    def root(self) -> int:
        """The number of the only block of the root folder."""
        ((place, _),) = self.inodes(ROOT, 1)
        return int.from_bytes(os.pread(self._file, 4, place + _FIRST_PLACE), "little")

    def write(self) -> None:
        """Write bitmaps, descriptors and superblocks. Nothing can be taken afterwards."""
        taken = 0
        for number, group in self._changed.items():
            # Everything before the last block that was taken is taken.
            here = min(max(self._place - number * _IN_GROUP, 0), self._in_group(number))
            group.blocks |= (1 << here) - 1
            free = self._in_group(number) - (group.blocks & self._mask(number)).bit_count()
            taken += group.free - free
            group.free = free
        self._write_bitmaps()
        self._write_descriptors()
        free = self._word(12) + (self._word(344) << 32) - taken
        struct.pack_into("<I", self._superblock, 12, free & 0xFFFFFFFF)
        struct.pack_into("<I", self._superblock, 344, free >> 32)
        for number in self._with_copies():
            self._write_copies(number)

    def _word(self, place: int) -> int:
        """Return a number of the superblock."""
        return int.from_bytes(self._superblock[place : place + 4], "little")

    def _field(self, group: int, low: int, high: int, form: str = "H") -> int:
        """Return a number of a descriptor, from the places of its halves."""
        start = group * _DESCRIPTOR
        lower, upper = (
            struct.unpack_from(f"<{form}", self._descriptors, start + half)[0]
            for half in (low, high)
        )
        return int(lower | upper << 8 * struct.calcsize(form))

    def _set(self, group: int, places: tuple[int, int], number: int) -> None:
        """Change a number of a descriptor whose halves have two bytes."""
        for place, half in zip(places, (number & 0xFFFF, number >> 16), strict=True):
            struct.pack_into("<H", self._descriptors, group * _DESCRIPTOR + place, half)

    def _in_group(self, number: int) -> int:
        """Return the number of blocks of a group."""
        return min(_IN_GROUP, self._blocks - number * _IN_GROUP)

    def _mask(self, number: int) -> int:
        return (1 << self._in_group(number)) - 1

    def _free_runs(self) -> Iterator[tuple[int, int]]:
        """Yield first block and length of each run of free blocks."""
        for number in range(self._count):
            free = ~self._group(number).blocks & self._mask(number)
            while free:
                first = (free & -free).bit_length() - 1
                rest = ~(free >> first)
                length = (rest & -rest).bit_length() - 1
                yield number * _IN_GROUP + first, length
                free &= -1 << first + length

    def _group(self, number: int) -> _Group:
        """Return a group, which is written at the end."""
        if number not in self._changed:
            free = self._field(number, *_FREE_BLOCKS)
            if self._descriptors[number * _DESCRIPTOR + _FLAGS] & _NO_BLOCKS:
                # Copies of the superblock and the descriptors are at its begin, or nothing.
                taken = (1 << _IN_GROUP - free) - 1
            else:
                place = self._field(number, 0, 32, "I") * BLOCK
                taken = int.from_bytes(os.pread(self._file, BLOCK, place), "little")
            self._changed[number] = _Group(taken, free)
        return self._changed[number]

    def _write_bitmaps(self) -> None:
        """Write the bitmaps, and note their checksums."""
        found = []
        for number, group in self._changed.items():
            blocks = group.blocks.to_bytes(BLOCK, "little")
            found.append((blocks, number, (0, 32), _BLOCK_SUM))
            if group.inodes:
                inodes = ((1 << group.inodes) - 1).to_bytes(self._per_group // 8, "little")
                found.append((inodes, number, (4, 36), _INODE_SUM))
        sums = crc32c.of([bitmap for bitmap, *_ in found], [self.seed] * len(found))
        for (bitmap, number, place, noted), checksum in zip(found, sums, strict=True):
            self._set(number, noted, checksum)
            at = self._field(number, *place, "I") * BLOCK
            write_at(self._file, at, [bitmap.ljust(BLOCK, b"\xff")])

    def _write_descriptors(self) -> None:
        """Bring the descriptors of changed groups up to date."""
        heads = []
        for number, group in self._changed.items():
            start = number * _DESCRIPTOR
            self._descriptors[start + _FLAGS] &= ~_NO_BLOCKS
            self._set(number, _FREE_BLOCKS, group.free)
            if group.inodes:
                self._descriptors[start + _FLAGS] &= ~_NO_INODES
                unused = self._per_group - group.inodes
                self._set(number, _FREE_INODES, unused)
                self._set(number, _UNUSED, unused)
                self._set(number, _FOLDERS, self._field(number, *_FOLDERS) + group.folders)
            struct.pack_into("<H", self._descriptors, start + _SUM, 0)
            whole = self._descriptors[start : start + _DESCRIPTOR]
            heads.append(number.to_bytes(4, "little") + whole)
        for number, checksum in zip(
            self._changed, crc32c.of(heads, [self.seed] * len(heads)), strict=True
        ):
            place = number * _DESCRIPTOR + _SUM
            struct.pack_into("<H", self._descriptors, place, checksum & 0xFFFF)

    def _with_copies(self) -> list[int]:
        """Return the groups with superblock and descriptors: sparse_super of ext4(5)."""
        found = {0, 1}
        for base in (3, 5, 7):
            power = base
            while power < self._count:
                found.add(power)
                power *= base
        return sorted(number for number in found if number < self._count)

    def _write_copies(self, number: int) -> None:
        """Write superblock and descriptors into a group."""
        start = number * _IN_GROUP * BLOCK
        place = start if number else _SIZE
        found = bytearray(os.pread(self._file, _SIZE, place))
        for changed in (slice(12, 20), slice(344, 348)):
            found[changed] = self._superblock[changed]
        checksum = crc32c.of([bytes(found[:-4])], [crc32c.START])[0]
        found[-4:] = checksum.to_bytes(4, "little")
        write_at(self._file, place, [found])
        write_at(self._file, start + BLOCK, [self._descriptors])


def too_small(detail: str) -> QuardError:
    """Return the error for content that does not fit."""
    return QuardError(
        "the content does not fit rootfs.ext4",
        detail=detail,
        reason="image-too-small",
        hint="raise image.size_mib in the board's file, or remove it: the content then decides",
    )
