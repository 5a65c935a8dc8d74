"""Compressed pieces of the last file, which are used again for the next one.

Each is in a file of its own, behind its checksum. A damaged or missing one is made again, so that
what is kept never decides the bytes of an image. Beside them is what is known of the data
(quard.image.known).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterable
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

    def size(self, name: str) -> int | None:
        """Return the bytes of a piece; None if it is missing or damaged. Raises OSError."""
        path = self.folder / name
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.lent.take(name, path)
        try:
            with path.open("rb") as file:
                expected = file.read(_DIGEST)
                total = hashlib.sha256()
                while data := file.read(PIECE):
                    total.update(data)
                return file.tell() - _DIGEST if total.digest() == expected else None
        except OSError:  # it is missing, or something else has its name
            return None

    def put(self, name: str, *parts: bytes | memoryview) -> None:
        """Keep a piece, given in parts. Raises OSError."""
        total = hashlib.sha256()
        for part in parts:
            total.update(part)
        with replacing(self.folder / name) as path, path.open("wb") as out:
            out.writelines((total.digest(), *parts))

    def copy(self, name: str, out: IO[bytes]) -> None:
        """Write a piece that is there into a file. Raises OSError."""
        with (self.folder / name).open("rb") as file:
            file.seek(_DIGEST)
            shutil.copyfileobj(file, out)

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
