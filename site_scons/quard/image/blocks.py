"""The compressed blocks of a squashfs, made by tar2sqfs and kept for the next image.

tar2sqfs gets one file that has all blocks, and makes a file system of it. Its data area has the
compressed blocks one behind the other, and a block that does not become smaller as it is. How one
is compressed does not depend on the others: zstd begins each without what it has in memory.
"""

from __future__ import annotations

import mmap
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.base.space import disk_full
from quard.image import superblock
from quard.image.kept import Kept
from quard.image.packing import SIZE, Block
from quard.image.write import Use, run

_LEVEL = 6
"""With 60 MB of programs: zstd 6 24.2 MB in 2 s, gzip 6 24.5 MB in 4 s, zstd 15 22.2 MB in 24 s."""
_BATCH = 1 << 8
"""Blocks that are compressed at a time: 32 MiB, which are on the disk twice then."""
_FRAME = b"\x28\xb5\x2f\xfd\xa0" + SIZE.to_bytes(4, "little")
"""The header of a zstd frame (RFC 8878) with one segment of a block's size, without a checksum."""
_REPEATED = 1
"""Type of a zstd block of one byte, which is repeated."""
_HEADER = tarfile.BLOCKSIZE


@record
class Blocks(Record):
    """Compresses blocks, and keeps them.

    out -- the file that is made, for messages
    """

    kept: Kept
    out: Path
    use: Use

    def provide(self, blocks: Iterable[Block], scratch: Path) -> dict[str, int]:
        """Have blocks, and return the bytes of each by name; keep no others.

        scratch -- an empty folder
        Raises QuardError: tool-missing, disk-full, image-tool, interrupted.
        """
        sizes: dict[str, int] = {}
        missing: dict[str, Block] = {}
        for block in blocks:
            if block.name in sizes or block.name in missing:
                continue
            size = self.kept.size(block.name)
            if size is None:
                missing[block.name] = block
            else:
                sizes[block.name] = size
        waiting = list(missing.values())
        for start in range(0, len(waiting), _BATCH):
            sizes.update(self._compress(waiting[start : start + _BATCH], scratch))
        self.kept.keep_only(sizes, missing)
        return sizes

    def _compress(self, blocks: Sequence[Block], scratch: Path) -> Iterator[tuple[str, int]]:
        """Compress blocks and yield name and bytes of each."""
        given, made = scratch / "blocks.tar", scratch / "blocks.squashfs"
        info = tarfile.TarInfo("blocks")
        info.size = len(blocks) * SIZE
        with given.open("wb") as file:
            file.write(info.tobuf(tarfile.USTAR_FORMAT))
            file.writelines(block.read() for block in blocks)
            file.write(bytes(2 * tarfile.BLOCKSIZE))
        self._run(given, made)
        with given.open("rb") as file:
            file.seek(_HEADER)
            plain = (file.read(SIZE) for _ in blocks)
            for block, data in zip(blocks, _cut(made, plain), strict=True):
                self.kept.put(block.name, data)
                yield block.name, len(data)
        given.unlink()
        made.unlink()

    def _run(self, given: Path, made: Path) -> None:
        argv = [
            *("tar2sqfs", "--quiet", "--compressor", "zstd", "-X", f"level={_LEVEL}"),
            *("--block-size", str(SIZE), str(made)),
        ]
        room = shutil.disk_usage(made.parent).free
        try:
            run(argv, self.out, stdin=given, use=self.use)
        except QuardError as error:
            # tar2sqfs reports a full disk only as "I/O error".
            if "I/O error" in error.detail and room < given.stat().st_size:
                said = f"{error.detail}\n{room} bytes were free"
                raise disk_full(f"making {self.out.name}", self.out.parent, said) from error
            raise


def _cut(made: Path, plain: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the compressed blocks of a file system that tar2sqfs has made of one file.

    plain -- the blocks of the file
    Raises QuardError image-tool for another file system.
    """
    try:
        with made.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            place, end = _area(data)
            for block in plain:
                start, place = place, place + SIZE
                if data[start:place] != block:
                    place = _frame_end(data, start)
                yield data[start:place]
            if place != end:
                raise ValueError(f"its blocks end at {place}, and its data at {end}")
    except (ValueError, FileNotFoundError) as error:
        raise QuardError(
            "tar2sqfs made a file system whose blocks cannot be used",
            detail=str(error),
            reason="image-tool",
            hint="the machine's tar2sqfs may be another program: use that of squashfs-tools-ng",
        ) from error


def _area(data: mmap.mmap) -> tuple[int, int]:
    """Return where the data of a file system begins and ends. Raises ValueError."""
    start = superblock.LENGTH
    found = superblock.decode(data[:start])
    if (found.compressor, found.block) != (superblock.ZSTD, SIZE):
        raise ValueError("it has another compressor or other blocks")
    if found.flags & superblock.OPTIONS:
        # A metadata block: its size, with a bit for one that is not compressed, and its bytes.
        start += 2 + (int.from_bytes(data[start : start + 2], "little") & 0x7FFF)
    return start, found.inode_table


def _frame_end(data: mmap.mmap, start: int) -> int:
    """Return the end of a zstd frame (RFC 8878, 3.1.1). Raises ValueError."""
    place = start + len(_FRAME)
    if data[start:place] != _FRAME:
        raise ValueError(f"there is no zstd frame of one block at {start}")
    last = 0
    while not last:
        header = int.from_bytes(data[place : place + 3], "little")
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        place += 3 + (1 if kind == _REPEATED else size)
        if place - start >= SIZE or place > len(data):
            raise ValueError(f"the zstd frame at {start} is too long")
    return place
