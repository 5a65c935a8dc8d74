"""Filling an empty ext4 file system, which mke2fs has made, with the entries of rootfs.tar.

Folders and blocks of attributes come first, then contents of files and targets of long links. What
says where these are is written at the end.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from quard.base.files import changed
from quard.image import ext4_attributes as attributes
from quard.image import ext4_extents, ext4_folders, ext4_inodes, tarimage
from quard.image.crc32c import of
from quard.image.ext4_data import Data
from quard.image.ext4_extents import INLINE, Extent
from quard.image.ext4_groups import BLOCK, FIRST, INODE, ROOT, Groups
from quard.image.ext4_inodes import Inode
from quard.image.roottar import RootTar
from quard.image.write import tool_failed, write_at
from quard.process.stop import Stop


def fill(made: Path, tar: RootTar, stop: Stop) -> None:
    """Write the entries of rootfs.tar into an empty file system.

    Raises QuardError: image-too-small, image-tool, bad-tar, file-collision, changed-while-building,
    interrupted; and OSError.
    """
    try:
        source = tar.path.open("rb", buffering=0)
    except FileNotFoundError:
        raise changed(tar.path) from None
    with source, made.open("r+b", buffering=0) as file:
        try:
            groups = Groups(file.fileno())
        except ValueError as error:
            raise tool_failed("mke2fs", made, str(error)) from error
        try:
            _Filling(source.fileno(), file.fileno(), groups, tar, stop).fill()
        except (ValueError, struct.error) as error:
            raise tarimage.bad_tar("rootfs.tar", f"ext4 cannot hold it: {error}") from error


class _Filling:
    """Fills a file system; `source` and `file` are open files, the tar and the file system."""

    def __init__(self, source: int, file: int, groups: Groups, tar: RootTar, stop: Stop) -> None:
        self._file, self._groups = file, groups
        self._inodes, self._folders = ext4_inodes.numbered(tar.entries)
        self._words = ext4_inodes.seeds(self._inodes, self._groups.seed)
        self._begins: tuple[int, ...] = struct.unpack(f"<{len(self._inodes)}I", self._words)
        self._data = Data(source, tar.path, file, self._groups, stop)
        self._trees: list[tuple[int, bytes, int]] = []

    def fill(self) -> None:
        """Write everything."""
        folders = [folder.inode.number for folder in self._folders[1:]]
        self._groups.take_inodes(len(self._inodes) - 1, folders)
        self._write_folders()
        self._write_attributes()
        for inode in self._inodes:
            self._write_content(inode)
        self._data.flush()
        self._write_trees()
        self._write_inodes()
        self._groups.write()

    def _write_folders(self) -> None:
        """Write all folders, one behind the other."""
        blocks: list[bytes] = []
        begins, counts = [], []
        for folder in self._folders:
            names = ((inode.number, inode.node.kind, name) for name, inode in folder.names)
            found = ext4_folders.blocks(folder.inode.number, folder.above.number, names)
            blocks += found
            begins += [self._begin(folder.inode)] * len(found)
            counts.append(len(found))
        sums = of(blocks, begins)
        whole = iter([b + ext4_folders.tail(c) for b, c in zip(blocks, sums, strict=True)])
        for folder, count in zip(self._folders, counts, strict=True):
            mine = [next(whole) for _ in range(count)]
            extents: list[Extent] = []
            if folder.inode.number == ROOT:
                place = self._groups.root
                self._data.append(place, mine[:1], BLOCK)
                extents.append((0, place, 1))
            before = len(extents)
            for first, place, length in self._data.put(mine[before:]):
                ext4_extents.add(extents, (before + first, place, length))
            folder.inode.size = count * BLOCK
            self._set_extents(folder.inode, extents)

    def _write_attributes(self) -> None:
        """Note attributes in inodes, and write blocks with those that do not fit there."""
        outside = []
        for inode in self._inodes:
            if inode.node.attributes:
                inside, others = attributes.divide(inode.node.attributes)
                inode.inside = attributes.in_inode(inside)
                if others:
                    inode.outside = self._groups.take_one()
                    inode.blocks += 1
                    outside.append((inode.outside, attributes.in_block(others)))
        heads = [number.to_bytes(8, "little") + block for number, block in outside]
        sums = of(heads, [self._groups.seed] * len(heads))
        for (number, block), checksum in zip(outside, sums, strict=True):
            self._data.append(number, [attributes.with_checksum(block, checksum)], BLOCK)

    def _write_content(self, inode: Inode) -> None:
        """Write what an inode has that is no folder."""
        node = inode.node
        if node.kind == "link":
            target = node.target.encode()
            inode.size = len(target)
            if len(target) < INLINE:
                inode.places = target
            elif len(target) < BLOCK:
                self._set_extents(inode, self._data.put([target.ljust(BLOCK, b"\0")]))
            else:
                raise ValueError(f"the target of a link has {len(target)} bytes")
        elif node.content is not None:
            inode.size = node.content.size
            self._set_extents(inode, self._data.copy(node.content))
        elif node.kind in ("char", "block"):
            inode.places = ext4_inodes.device(*node.device)

    def _set_extents(self, inode: Inode, extents: Sequence[Extent]) -> None:
        inode.places, blocks = ext4_extents.tree(extents, self._groups.take_one)
        inode.extents = True
        inode.blocks += sum(count for _, _, count in extents) + len(blocks)
        self._trees += ((number, block, self._begin(inode)) for number, block in blocks)

    def _begin(self, inode: Inode) -> int:
        """Return what the checksums of an inode's blocks begin with."""
        # The first one is that of the root, whose number is below `FIRST`.
        return self._begins[max(inode.number - FIRST + 1, 0)]

    def _write_trees(self) -> None:
        sums = of([block for _, block, _ in self._trees], [begin for *_, begin in self._trees])
        for (number, block, _), checksum in zip(self._trees, sums, strict=True):
            write_at(self._file, number * BLOCK, [block, checksum.to_bytes(4, "little")])

    def _write_inodes(self) -> None:
        table = memoryview(ext4_inodes.table(self._inodes, self._words))
        place = 0
        for first, count in ((ROOT, 1), (FIRST, len(self._inodes) - 1)):
            for at, length in self._groups.inodes(first, count):
                write_at(self._file, at, [table[place : place + length * INODE]])
                place += length * INODE
