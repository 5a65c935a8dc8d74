"""The bytes of a file in an image, wherever they are stored; read in pieces, whatever the size.

A file that is mostly zero is kept as its runs of non-zero bytes. The runs depend on the bytes only,
never on the holes of the build machine's file system: a copy of a file without holes gives the
same image.
"""

from __future__ import annotations

import bisect
import errno
import hashlib
import io
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from quard.base.files import changed
from quard.base.record import Record, record

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE = 1 << 20
"""Bytes in memory at a time."""
_PIECE = 1 << 18
"""Bytes that are read at a time to be used at once: they are in the processor's cache then."""
_GRAIN = 1 << 16
"""A hole begins and ends at a multiple of this."""
_WORTH = 1 << 20
"""Bytes of holes from which a file is kept as runs."""
_MOST_STORED = 1 << 33
"""Limit in bytes of a tar member with runs: from this size on, tarfile misreads it."""
Runs = tuple[tuple[int, int], ...]
"""(offset, length) of non-zero data, sorted."""


@record
class Content(Record):
    """A file's bytes: `data`, or `size` bytes of the file `path` from `offset` on.

    runs   -- set if `path` has only non-zero data, back to back: its places in the content
    sha256 -- of the content, if known
    """

    size: int
    data: bytes = b""
    path: Path | None = None
    offset: int = 0
    runs: Runs | None = None
    sha256: str = ""

    @property
    def stored(self) -> int:
        """The bytes that are not in holes."""
        runs = self.data_runs
        return self.size if runs is None else sum(length for _, length in runs)

    def open(self) -> IO[bytes]:
        """Open the content for reading. A truncated file is an error changed-while-building."""
        if self.path is None:
            return io.BytesIO(self.data)
        return cast(IO[bytes], io.BufferedReader(Reader(self), PIECE))

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, some at a time; errors are those of `open`."""
        if self.path is None:
            yield self.data
            return
        with Reader(self) as file:
            while piece := file.piece(_PIECE):
                yield piece

    def read(self, most: int = -1) -> bytes:
        """Return the bytes, or the first `most` of them."""
        if self.path is None:
            return self.data if most < 0 else self.data[:most]
        with Reader(self) as file:  # which reads no more than requested
            return _exactly(file, self.size if most < 0 else most)

    def part(self, offset: int, size: int) -> bytes:
        """Return some of the bytes, without reading others."""
        if self.path is None:
            return self.data[offset : offset + size]
        with Reader(self) as file:
            file.seek(offset)
            return _exactly(file, size)

    def digest(self) -> str:
        """Return the SHA-256 of the content."""
        if self.sha256:
            return self.sha256
        total = hashlib.sha256()
        for piece in self.pieces():
            total.update(piece)
        return total.hexdigest()

    def copy_to(self, path: Path) -> None:
        """Write the content to a file, keeping holes."""
        with path.open("wb") as out, self.open() as file:
            for offset, length in self.runs if self.runs is not None else ((0, self.size),):
                out.seek(offset)
                file.seek(offset)
                _copy(file, out, length)
            out.truncate(self.size)

    @cached_property
    def data_runs(self) -> Runs | None:
        """The runs, if the content is better kept as runs; else None."""
        if self.runs is not None or self.path is None or self.size < _WORTH:
            return self.runs
        runs: list[tuple[int, int]] = []
        with Reader(self) as file:
            place = 0
            while place < self.size:
                file.seek(place)
                piece = _exactly(file, min(_GRAIN, self.size - place))
                if not piece.strip(b"\0"):
                    place += len(piece)
                    place = max(place, file.data_from(place) // _GRAIN * _GRAIN)
                    continue
                if runs and sum(runs[-1]) == place:
                    runs[-1] = runs[-1][0], runs[-1][1] + len(piece)
                else:
                    runs.append((place, len(piece)))
                place += len(piece)
        stored = sum(length for _, length in runs)
        return tuple(runs) if stored < min(self.size - _WORTH, _MOST_STORED) else None


class Reader(io.RawIOBase):
    """Reads a content that is stored in a file."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        assert content.path is not None, "bytes in memory need no reader"
        self._path = content.path
        self._size = content.size
        self._runs = content.runs if content.runs is not None else ((0, content.size),)
        self._starts = [start for start, _ in self._runs]
        self._places = []
        place = content.offset
        for _, length in self._runs:
            self._places.append(place)
            place += length
        self._position = 0
        self._file = -1
        try:
            self._file = os.open(content.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise changed(content.path) from None
        if os.fstat(self._file).st_size < place:
            self.close()
            raise changed(content.path)

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        place, count = self._next(len(view))
        if place is None:
            view[:count] = bytes(count)
        else:
            count = os.preadv(self._file, [view[:count]], place)
        return self._read(place, count)

    def piece(self, most: int) -> bytes:
        """Return the next bytes, at least one unless it is the end."""
        place, count = self._next(most)
        found = bytes(count) if place is None else os.pread(self._file, count, place)
        self._read(place, len(found))
        return found

    def _next(self, most: int) -> tuple[int | None, int]:
        """Return where in the file the next bytes are, None for a hole, and how many there are."""
        most = min(most, self._size - self._position)
        if most <= 0:
            return None, 0
        index = bisect.bisect_right(self._starts, self._position) - 1
        inside = self._position - self._starts[index] if index >= 0 else 0
        if index >= 0 and inside < self._runs[index][1]:
            return self._places[index] + inside, min(most, self._runs[index][1] - inside)
        after = self._starts[index + 1] if index + 1 < len(self._starts) else self._size
        return None, min(most, after - self._position)

    def _read(self, place: int | None, count: int) -> int:
        """Go on behind bytes that were read."""
        if place is not None and not count:
            raise changed(self._path)
        self._position += count
        return count

    def data_from(self, place: int) -> int:
        """Return a lower bound for the position of the next non-zero byte.

        For a content in one piece. The holes that the file system knows of save reading.
        """
        start = self._places[0]
        try:
            return min(os.lseek(self._file, start + place, os.SEEK_DATA) - start, self._size)
        except OSError as error:
            return self._size if error.errno == errno.ENXIO else place


def _exactly(file: Reader, size: int) -> bytes:
    pieces = []
    while size and (piece := file.piece(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _copy(file: IO[bytes], out: IO[bytes], length: int) -> None:
    while length:
        piece = file.read(min(PIECE, length))
        out.write(piece)
        length -= len(piece)
