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
from typing import IO

from quard.base.errors import QuardError
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


class Blocks:
    """Compresses blocks, and keeps them.

    out     -- the file that is made, for messages
    scratch -- an empty folder
    """

    def __init__(self, kept: Kept, out: Path, use: Use, scratch: Path) -> None:
        self.kept = kept
        self._out = out
        self._use = use
        self._scratch = scratch
        self._sizes: dict[str, int] = {}
        self._made: set[str] = set()

    def provide(self, blocks: Iterable[Block]) -> None:
        """Compress those of some blocks that are missing.

        Raises QuardError: tool-missing, disk-full, image-tool, changed-while-building, interrupted.
        """
        missing = [*{b.name: b for b in blocks if not self.kept.has(b.name)}.values()]
        for start in range(0, len(missing), _BATCH):
            self._compress(missing[start : start + _BATCH])

    def write(self, block: Block, file: IO[bytes]) -> int:
        """Write a compressed block into a file, and return its bytes. Raises as `provide` does."""
        size = self.kept.copy(block.name, file)
        if size is None:  # it is damaged
            self._compress((block,))
            size = self.kept.copy(block.name, file)
        assert size is not None, "it has just been made"
        self._sizes[block.name] = size
        return size

    def end(self) -> dict[str, int]:
        """Keep what was written and nothing else, and return the bytes of each block by name."""
        self.kept.keep_only(self._sizes, self._made)
        return self._sizes

    def _compress(self, blocks: Sequence[Block]) -> None:
        """Compress blocks and keep them."""
        given, made = self._scratch / "blocks.tar", self._scratch / "blocks.squashfs"
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
        given.unlink()
        made.unlink()
        self._made.update(block.name for block in blocks)

    def _run(self, given: Path, made: Path) -> None:
        argv = [
            *("tar2sqfs", "--quiet", "--compressor", "zstd", "-X", f"level={_LEVEL}"),
            *("--block-size", str(SIZE), str(made)),
        ]
        room = shutil.disk_usage(made.parent).free
        try:
            run(argv, self._out, stdin=given, use=self._use)
        except QuardError as error:
            # tar2sqfs reports a full disk only as "I/O error".
            if "I/O error" in error.detail and room < given.stat().st_size:
                said = f"{error.detail}\n{room} bytes were free"
                raise disk_full(f"making {self._out.name}", self._out.parent, said) from error
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
