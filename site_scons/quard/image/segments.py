"""A gzip file made from segments, each compressed by itself and kept for the next image.

The file is an ordinary one, with one member: a program that decompresses it sees no segments.
Its bytes depend on the segments and on gzip, never on what was kept.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import IO

from quard.base.files import changed
from quard.base.record import Record, record
from quard.image import crc, deflate
from quard.image.kept import Kept
from quard.image.known import NAME, Known

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
class Segment(Record):
    """Bytes that are compressed by themselves.

    digest -- of what decides these bytes; "" if it is not known
    """

    pieces: Pieces
    digest: str = ""


_FORM = "facts 1"
"""Of what is known: another one if the fields of _Facts change."""


@record
class _Facts(Record):
    """What is known of a segment.

    name  -- of its compressed bytes, for Kept
    size  -- bytes
    check -- their CRC-32
    shift -- see `crc.shift`
    """

    name: str
    size: int
    check: int
    shift: int


@record
class Segments(Record):
    """Compressed segments, of which those of the last image are kept.

    made_by -- identity of what compresses them
    source  -- the file that they are read from, for messages
    """

    kept: Kept
    made_by: str
    gzip: Gzip
    source: Path

    def write(self, segments: Iterable[Segment], out: IO[bytes], scratch: Path) -> None:
        """Write a gzip file of the segments, and keep only these for the next one.

        scratch -- an empty folder
        Raises QuardError image-tool, changed-while-building, and those of `gzip`.
        """
        check = size = 0
        names: list[str] = []
        pieces: dict[str, Pieces] = {}
        known = Known(self.kept.folder / NAME, _FORM)
        for segment in segments:
            facts = self._facts(segment, known)
            check = crc.joined(check, facts.check, facts.shift)
            size += facts.size
            names.append(facts.name)
            pieces[facts.name] = segment.pieces
        made = {name: each for name, each in pieces.items() if not self.kept.has(name)}
        self._compress(made, scratch)
        out.write(deflate.HEADER)
        for name in names:
            if self.kept.copy(name, out) is None:  # it is damaged
                made[name] = pieces[name]
                self._compress({name: pieces[name]}, scratch)
                copied = self.kept.copy(name, out)
                assert copied is not None, "it has just been made"
        out.write(deflate.END)
        for number in (check, size):
            out.write((number & 0xFFFFFFFF).to_bytes(4, "little"))
        self.kept.keep_only(names, made)
        known.write()

    def _facts(self, segment: Segment, known: Known) -> _Facts:
        """Return the facts of a segment, which is read if they are not known."""
        digest = segment.digest and self._total(segment.digest.encode()).hexdigest()
        if found := known.get(digest):
            return _Facts(*found)
        total = self._total()
        check = size = 0
        for piece in segment.pieces():
            total.update(piece)
            check = zlib.crc32(piece, check)
            size += len(piece)
        facts = (total.hexdigest(), size, check, crc.shift(size))
        known.note(digest, facts)
        return _Facts(*facts)

    def _total(self, data: bytes = b"") -> hashlib._Hash:
        return hashlib.sha256(f"{self.made_by}\n".encode() + data)

    def _compress(self, missing: Mapping[str, Pieces], scratch: Path) -> None:
        """Compress segments, some at a time."""
        waiting: list[str] = []
        size = 0
        for name, pieces in missing.items():
            total = self._total()
            with (scratch / name).open("wb") as file:
                for piece in pieces():
                    total.update(piece)
                    file.write(piece)
                size += file.tell()
            if total.hexdigest() != name:
                raise changed(self.source)
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
