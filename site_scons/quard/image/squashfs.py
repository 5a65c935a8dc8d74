"""rootfs.squashfs, with blocks that tar2sqfs of squashfs-tools-ng compresses.

The engine writes the rest of the file system itself, so that the blocks of the last image are used
again. Its parts follow one another: superblock, blocks of files, fragments, inodes, folders, places
of fragments, ids, attributes (Linux: Documentation/filesystems/squashfs.rst).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from quard.image import superblock, tarimage
from quard.image.blocks import Blocks
from quard.image.inodes import Inodes
from quard.image.kept import Kept
from quard.image.known import NAME, Known
from quard.image.metadata import Table
from quard.image.packing import FORM, SIZE, Packing, pack, word
from quard.image.roottar import RootTar
from quard.image.superblock import Superblock
from quard.image.tree import Node
from quard.image.write import USE, Use, scratch

_PADDED = 4096
"""The file's size is a multiple of this, as block devices need it."""


def squashfs(
    tar: RootTar,
    out: Path,
    *,
    use: Use = USE,
    kept: Kept | None = None,
    made_by: str = "",
) -> None:
    """Make a squashfs from rootfs.tar, with the tools of `use`.

    kept    -- the last image's compressed blocks, which are used again and replaced
    made_by -- identity of the tools of `use`, and of how this version of the engine uses them
    Raises QuardError: bad-tar, tool-missing, disk-full, image-tool, interrupted.
    """
    entries = tar.entries
    names: dict[Node, str] = {}
    for name, (node, _) in entries.items():
        if node.kind == "file":
            names.setdefault(node, name)
    with scratch(out) as folder:
        made = folder / out.name
        blocks = Blocks(kept or Kept(folder / "kept"), out, use, folder)
        known = Known(blocks.kept.folder / NAME, FORM)
        packing = pack(names, made_by, known)
        blocks.provide(packing.blocks)
        with made.open("wb") as file:
            file.write(bytes(superblock.LENGTH))
            fragments = _write_blocks(packing, blocks, file)
            found = _write_tables(Inodes(entries, packing.of, blocks.end()), fragments, file)
            file.write(bytes(-found.used % _PADDED))
            file.seek(0)
            file.write(found.encode())
        known.write()
        made.replace(out)


def _write_blocks(packing: Packing, blocks: Blocks, file: IO[bytes]) -> list[tuple[int, int]]:
    """Write all blocks, note where the data of files begins, and return place and size of each
    fragment.
    """
    place = file.tell()
    for data in packing.data:
        if any(data.blocks):
            data.start = place
        place += sum(blocks.write(block, file) for block in data.blocks if block)
    fragments = []
    for block in packing.fragments:
        fragments.append((place, blocks.write(block, file)))
        place += fragments[-1][1]
    return fragments


def _write_tables(
    found: Inodes, fragments: Sequence[tuple[int, int]], file: IO[bytes]
) -> Superblock:
    """Write all tables behind the blocks, and return the superblock that says where they are.

    fragments -- place and size of each
    """
    flags = superblock.PLAIN_INODES | superblock.PLAIN_IDS | superblock.PLAIN_ATTRIBUTES
    inode_table = file.tell()
    file.write(found.inodes.encode())
    folder_table = file.tell()
    file.write(found.folders.encode())
    places, ids = Table(), Table()
    for place, size in fragments:
        places.add(struct.pack("<Q2I", place, word(size), 0))
    for each in found.ids:
        ids.add(struct.pack("<I", each))
    fragment_table, id_table = (_indexed(table, file) for table in (places, ids))
    attributes, attribute_table = found.sets.encode(file.tell())
    file.write(attributes)
    return Superblock(
        inodes=found.count,
        mtime=tarimage.MTIME,
        block=SIZE,
        fragments=len(fragments),
        compressor=superblock.ZSTD,
        flags=flags
        | superblock.SHARED_DATA
        | (0 if fragments else superblock.NO_FRAGMENTS)
        | (0 if attributes else superblock.NO_ATTRIBUTES),
        ids=len(found.ids),
        root=found.root,
        used=file.tell(),
        id_table=id_table,
        attribute_table=attribute_table if attributes else superblock.NOWHERE,
        inode_table=inode_table,
        folder_table=folder_table,
        fragment_table=fragment_table if fragments else superblock.NOWHERE,
    )


def _indexed(table: Table, file: IO[bytes]) -> int:
    """Write a table and the list of its blocks, and return the place of the list."""
    data, place = table.indexed(file.tell())
    file.write(data)
    return place
