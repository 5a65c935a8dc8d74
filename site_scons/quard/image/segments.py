"""A gzip file made from segments, each compressed by itself and kept for the next image.

The file is an ordinary one, with one member: a program that decompresses it sees no segments.
Its bytes depend on the segments and on gzip, never on what was kept.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import IO

from quard.base.record import Record, record
from quard.image import deflate
from quard.image.kept import Kept

Pieces = Callable[[], Iterator[bytes]]
"""Returns the bytes of a segment, in pieces; it may be called twice."""
Gzip = Callable[[Sequence[Path], Path], None]
"""Writes one gzip file without a name for each of some files, one behind the other, into a file.

The bytes for a file must not depend on the others: which are compressed together is chance.
"""

_BATCH = 1 << 25
"""Bytes that are compressed at a time, and that are on the disk twice then."""
_MOST_FILES = 200
"""The most files of a batch: a command line is limited, and paths may be long."""


@record
class Segments(Record):
    """Compressed segments, of which those of the last image are kept.

    made_by -- identity of what compresses them
    """

    kept: Kept
    made_by: str
    gzip: Gzip

    def write(self, segments: Iterable[Pieces], out: IO[bytes], scratch: Path) -> None:
        """Write a gzip file of the segments, and keep only these for the next one.

        scratch -- an empty folder
        """
        check = size = 0
        names: list[str] = []
        missing: dict[str, Pieces] = {}
        for pieces in segments:
            total = hashlib.sha256(f"{self.made_by}\n".encode())
            for piece in pieces():
                total.update(piece)
                check = zlib.crc32(piece, check)
                size += len(piece)
            names.append(total.hexdigest())
            if names[-1] not in missing and self.kept.size(names[-1]) is None:
                missing[names[-1]] = pieces
        self._compress(missing, scratch)
        out.write(deflate.HEADER)
        for name in names:
            self.kept.copy(name, out)
        out.write(deflate.END)
        for number in (check, size):
            out.write((number & 0xFFFFFFFF).to_bytes(4, "little"))
        self.kept.keep_only(names, missing)

    def _compress(self, missing: dict[str, Pieces], scratch: Path) -> None:
        """Compress segments, some at a time."""
        waiting: list[str] = []
        size = 0
        for name, pieces in missing.items():
            with (scratch / name).open("wb") as file:
                file.writelines(pieces())
                size += file.tell()
            waiting.append(name)
            if size >= _BATCH or len(waiting) == _MOST_FILES:
                self._compress_batch(waiting, scratch)
                waiting, size = [], 0
        if waiting:
            self._compress_batch(waiting, scratch)

    def _compress_batch(self, names: Sequence[str], scratch: Path) -> None:
        made = scratch / "gz"
        files = [scratch / name for name in names]
        self.gzip(files, made)
        with made.open("rb") as file:
            for name, found in zip_longest(names, deflate.open_ended(file)):
                if name is None or found is None:
                    raise deflate.wrong("there is not one gzip file for each file")
                stream, tail = found
                self.kept.put(name, stream, tail)
        for path in files:
            path.unlink()
