"""Compressed pieces of the last file, which are used again for the next one.

Each is in a file of its own, behind its checksum. A damaged or missing one is made again, so that
what is kept never decides the bytes of an image. Beside them is what is known of the data
(quard.image.known).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from quard.base.files import replacing
from quard.base.record import Record, record
from quard.image.content import PIECE
from quard.image.known import NAME
from quard.image.lent import Lent

_DIGEST = hashlib.sha256().digest_size
_NONE = Lent(None)


@record
class Kept(Record):
    """The pieces in a folder, by names that say what was compressed, and by what.

    lent -- where one may be that is missing
    """

    folder: Path
    lent: Lent = _NONE

    def has(self, name: str) -> bool:
        """Return whether a piece is there, intact or not. Raises OSError."""
        path = f"{self.folder}/{name}"
        if not os.path.exists(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.lent.take(name, Path(path))
        return os.path.exists(path)

    def put(self, name: str, *parts: bytes | memoryview) -> None:
        """Keep a piece, given in parts. Raises OSError."""
        total = hashlib.sha256()
        for part in parts:
            total.update(part)
        with replacing(self.folder / name) as path, path.open("wb") as out:
            out.writelines((total.digest(), *parts))

    def copy(self, name: str, out: IO[bytes]) -> int | None:
        """Write a piece into a file, and return its bytes; None if it is missing or damaged.

        Then nothing is written. Raises OSError.
        """
        start, total = out.tell(), hashlib.sha256()
        pieces = self._read(name)
        expected = next(pieces, b"")
        for data in pieces:
            total.update(data)
            out.write(data)
        if total.digest() == expected:
            return out.tell() - start
        out.seek(start)
        out.truncate()
        return None

    def _read(self, name: str) -> Iterator[bytes]:
        """Yield the checksum and the bytes of a piece, as far as they can be read."""
        with suppress(OSError), open(f"{self.folder}/{name}", "rb", buffering=0) as file:
            yield file.read(_DIGEST)
            while data := file.read(PIECE):
                yield data

    def keep_only(self, names: Iterable[str], fresh: Collection[str]) -> None:
        """Keep and lend these pieces, and no others. Raises OSError.

        fresh -- those that were just made
        """
        wanted = set(names)
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path.name not in wanted and path.name != NAME:
                path.unlink()
        self.lent.keep_only(self.folder, wanted, fresh)
