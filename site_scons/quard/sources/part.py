"""A partial download, kept so that a later attempt can resume it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from quard.base.record import Record, record


@record
class PartOrigin(Record):
    """Where the bytes of a part come from, and how the server describes them."""

    address: str
    etag: str
    modified: str
    length: int | None

    def validator(self) -> str:
        """Return the value for If-Range, where weak tags are not allowed (RFC 9110, 13.1.5)."""
        return self.modified if self.etag.startswith("W/") or not self.etag else self.etag


class Part:
    """An incomplete file, `FILE.part`, and the data about its origin, `FILE.part.json`."""

    def __init__(self, file: Path) -> None:
        self.path = file.with_name(f"{file.name}.part")
        self._side = file.with_name(f"{file.name}.part.json")

    def size(self) -> int:
        """Return the number of bytes to resume after; a part of unknown origin is removed."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return 0
        origin = self.origin()
        if origin and (origin.length is None or size <= origin.length):
            return size
        self.discard()
        return 0

    def beginning(self, most: int) -> bytes:
        """Return the first bytes of the part."""
        with self.path.open("rb") as file:
            return file.read(most)

    def origin(self) -> PartOrigin | None:
        """Return where the bytes come from; None if unknown."""
        try:
            return PartOrigin(**json.loads(self._side.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def describe(self, origin: PartOrigin) -> None:
        """Record where the bytes come from, before they arrive."""
        fresh = self._side.with_name(f"{self._side.name}.new")
        fresh.write_text(json.dumps(asdict(origin)), encoding="utf-8")
        fresh.replace(self._side)

    def finish(self, file: Path) -> None:
        """Rename the part to `file` once it is on the disk: some report a full disk only then."""
        with self.path.open("rb") as bytes_:
            os.fsync(bytes_.fileno())
        self.path.replace(file)
        self.discard()

    def discard(self) -> None:
        """Remove both files."""
        for path in (self.path, self._side, self._side.with_name(f"{self._side.name}.new")):
            path.unlink(missing_ok=True)
