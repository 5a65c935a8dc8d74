"""The members of a tar archive, read front to back and checked as a stream.

`tarfile` parses the headers, with damage as an error anywhere. Its own stream mode is not used: it
copies its whole buffer for each header, which takes half of the time for a kernel.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import queue
import tarfile
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tarfile import HeaderError, ReadError, TarFile, TarInfo
from typing import IO, Protocol, cast

BLOCK = 1 << 20
RATIO = 100
FLOOR = 256 << 20
"""Unpacked bytes may reach FLOOR plus RATIO times the archive's size; sources stay below 20."""

EOFHeaderError = tarfile.EOFHeaderError  # type: ignore[attr-defined]  # the stubs lack it
InvalidHeaderError = tarfile.InvalidHeaderError  # type: ignore[attr-defined]
_LONGEST_HEADER = 1 << 20
"""Bytes of a member's header with all its extensions, which `tarfile` keeps in memory."""


class Readable(Protocol):
    """Bytes that can be read front to back."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


class Unsafe(Exception):
    """A member that would escape the folder, or of a type that sources do not have."""


class Bad(Exception):
    """An undamaged stream whose members do not form one tree."""


DAMAGE = (
    EOFError,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    ValueError,  # from Python's own conversions: a time that is not a number, a NUL in a path
)
"""What `members` raises for a damaged archive, besides an OSError without a number (gzip, bz2)."""


def members(
    archive: Path, opener: Callable[[Path], AbstractContextManager[Readable]] | None = None
) -> Generator[tuple[TarInfo, Stream], None, None]:
    """Yield each member, and the stream whose next bytes are the member's data.

    The archive is read to its end, because decompressors compare their checksums only there.

    opener -- opens the uncompressed tar archive; by default `archive` is one itself, plain or
              compressed with gzip, bzip2 or xz
    Raises Unsafe, Bad, OSError, DAMAGE.
    """
    limit = FLOOR + RATIO * archive.stat().st_size
    with contextlib.closing(Stream(archive, limit, opener or _opened)) as stream:
        file = cast(IO[bytes], stream)
        with tarfile.open(fileobj=file, mode="r:", tarinfo=_Header) as tar:
            while (member := tar.next()) is not None:
                yield member, stream
                # tarfile would keep every header until the end: 80 MB for a kernel.
                tar.members.clear()  # type: ignore[attr-defined]
                stream.begin_header()
        stream.drain()


class _Header(TarInfo):
    """A header that fails if damaged: `tarfile` would take damage for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: TarFile) -> _Header:
        try:
            return super().fromtarfile(tarfile)
        except EOFHeaderError:
            raise
        except HeaderError as fault:
            at = tarfile.offset
            if at == 0 and isinstance(fault, InvalidHeaderError):
                raise Bad(f"not a tar archive: {fault}") from None
            raise ReadError(f"header at byte {at}: {fault}") from None


class Stream:
    """The unpacked bytes of an archive, front to back, decompressed ahead by a thread.

    The decompressors of the standard library release the interpreter lock, so that a second
    processor is used. `tarfile` needs a file's `read`, `tell` and forward `seek`.
    """

    def __init__(
        self,
        archive: Path,
        limit: int,
        opener: Callable[[Path], AbstractContextManager[Readable]],
    ) -> None:
        self._opener = opener
        self._block = memoryview(b"")
        self._position = self._header = 0
        self._fault: BaseException | None = None
        self._open = True
        self._wanted = True
        self._blocks: queue.Queue[bytes] = queue.Queue(maxsize=8)
        self._thread = threading.Thread(
            target=self._run, args=(archive, limit), name=f"unpack {archive.name}", daemon=True
        )
        self._thread.start()

    def _run(self, archive: Path, limit: int) -> None:
        try:
            with self._opener(archive) as source:
                while self._wanted and (block := source.read(BLOCK)):
                    limit -= len(block)
                    if limit < 0:
                        raise Unsafe(f"it grows to more than {RATIO} times its size")
                    self._blocks.put(block)
        except BaseException as fault:  # raised again by the reader, in its own thread
            self._fault = fault
        self._blocks.put(b"")

    def piece(self, most: int) -> memoryview:
        """Return the next bytes, at most `most`; empty at the end."""
        if not self._block and self._open:
            self._block = memoryview(self._blocks.get())
            if not self._block:
                self._open = False
                if self._fault:
                    raise self._fault
        piece = self._block[:most]
        self._block = self._block[most:]
        self._position += len(piece)
        return piece

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Yield the next `size` bytes."""
        while size:
            piece = self.piece(size)
            if not piece:
                raise ReadError("unexpected end of data")
            size -= len(piece)
            yield piece

    def read(self, size: int) -> bytes:
        """Return `size` bytes in one piece, for `tarfile`: a header or an extended header."""
        self._header += size
        if self._header > _LONGEST_HEADER:
            raise Unsafe(f"a header of more than {_LONGEST_HEADER} bytes")
        data = bytes(self.piece(size))
        while len(data) < size and (piece := self.piece(size - len(data))):
            data += piece
        return data

    def begin_header(self) -> None:
        """Count the bytes of a header from here: `tarfile` may read one in pieces."""
        self._header = 0

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        assert position >= self._position, "tarfile moved backwards in the archive"
        for _ in self.pieces(position - self._position):
            pass

    def drain(self) -> None:
        """Read to the end: decompressors compare their checksums only there."""
        while self.piece(BLOCK):
            pass

    def close(self) -> None:
        """End the thread."""
        self._wanted = False
        while self._open:
            self._open = self._blocks.get() != b""
        self._thread.join()


def _opened(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(archive))
    if magic.startswith(b"BZh"):
        return cast(IO[bytes], bz2.open(archive))
    if magic == b"\xfd7zXZ\0":
        return cast(IO[bytes], lzma.open(archive))
    return archive.open("rb")
