"""The content of files, from rootfs.tar into the free blocks of an ext4 file system.

What is read at once has many small files or a part of a large one, and what is written at once is
what follows one another in the file system. Blocks of zeros are not written: they are holes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from quard.base.files import changed
from quard.image import tarimage
from quard.image.content import PIECE, Content
from quard.image.ext4_extents import Extent, add
from quard.image.ext4_groups import BLOCK, Groups
from quard.image.write import write_at
from quard.process.stop import Stop

_ZEROS = bytes(BLOCK)


class Data:
    """Copies contents from an open tar file to an open file system.

    tar    -- the file, its path for messages
    groups -- of the file system, which have free blocks
    stop   -- ends copying
    """

    def __init__(self, tar: int, path: Path, file: int, groups: Groups, stop: Stop) -> None:
        self._tar, self._path = tar, path
        self._file, self._groups, self._stop = file, groups, stop
        self._window = bytearray(PIECE)
        self._view = memoryview(self._window)
        self._begin = self._end = 0
        self._parts: list[bytes | memoryview] = []
        self._place = self._size = 0

    def copy(self, content: Content) -> list[Extent]:
        """Copy a content, and return where it is.

        Until `flush`, some of it is not written yet.
        Raises QuardError: image-too-small, changed-while-building, bad-tar, interrupted.
        """
        extents: list[Extent] = []
        place = content.offset
        for first, length in content.runs if content.runs is not None else ((0, content.size),):
            if first % BLOCK:
                raise tarimage.bad_tar(self._path.name, "a run of a file begins within a block")
            self._run(first // BLOCK, place, length, extents)
            place += length
        return extents

    def put(self, blocks: Sequence[bytes]) -> list[Extent]:
        """Write whole blocks, and return where they are. Raises QuardError image-too-small."""
        extents: list[Extent] = []
        first = 0
        for place, count in self._groups.take(len(blocks)):
            self.append(place, blocks[first : first + count], count * BLOCK)
            add(extents, (first, place, count))
            first += count
        return extents

    def append(self, block: int, parts: Sequence[bytes | memoryview], size: int) -> None:
        """Write parts to blocks that are taken, together with what is before these.

        size -- bytes of all parts: of whole blocks
        """
        if block * BLOCK != self._place + self._size:
            self.flush()
            self._place = block * BLOCK
        self._parts += parts
        self._size += size

    def flush(self) -> None:
        """Write what is not written yet."""
        if self._parts:
            write_at(self._file, self._place, self._parts)
        self._parts = []
        self._place = self._size = 0

    def _run(self, first: int, place: int, length: int, extents: list[Extent]) -> None:
        """Copy a run of a content: some bytes of the tar, to blocks of the file from `first` on."""
        while length:
            if place < self._begin or place + min(length, BLOCK) > self._end:
                self._read(place, min(length, BLOCK))
            start, count = place - self._begin, min(length, self._end - place)
            if count < length:
                count -= count % BLOCK
            for before, size in self._not_zero(start, count):
                self._append_data(first + before // BLOCK, start + before, size, extents)
            first, place, length = first + count // BLOCK, place + count, length - count

    def _read(self, place: int, least: int) -> None:
        """Read the tar from a place on."""
        self._stop.check()
        self.flush()
        self._begin = place
        self._end = place + os.preadv(self._tar, [self._window], place)
        if self._end < place + least:
            raise changed(self._path)

    def _not_zero(self, start: int, count: int) -> Iterator[tuple[int, int]]:
        """Yield offset and length of the data between blocks of zeros."""
        window, tail = self._window, count % BLOCK
        whole = count - tail
        holes = [
            offset for offset in range(0, whole, BLOCK) if window.startswith(_ZEROS, start + offset)
        ]
        if tail and window.startswith(_ZEROS[:tail], start + whole):
            holes.append(whole)
        begin = 0
        for hole in holes:
            if hole > begin:
                yield begin, hole - begin
            begin = hole + BLOCK
        if count > begin:
            yield begin, count - begin

    def _append_data(self, first: int, start: int, size: int, extents: list[Extent]) -> None:
        """Append bytes of the window, and zeros up to the end of the last block."""
        for place, count in self._groups.take(-(-size // BLOCK)):
            length = min(size, count * BLOCK)
            parts: list[bytes | memoryview] = [self._view[start : start + length]]
            if length % BLOCK:
                parts.append(_ZEROS[: -length % BLOCK])
            self.append(place, parts, count * BLOCK)
            add(extents, (first, place, count))
            first, start, size = first + count, start + length, size - length
