"""Which blobs a remote cache was seen to have, kept between runs.

A result that was taken from there counts as complete, although its blobs are fetched only when
something needs them. An entry is a small file, so that a null build asks with one stat(2) for each
blob that is not here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from quard.base.files import replace

FOLDER = "away"
"""In the folder of a store."""
_KEPT = 90 * 24 * 3600
"""Seconds for which it is kept: servers remove what nobody reads much earlier."""


def remove_old(root: Path, now: float, *, dry: bool = False) -> int:
    """Remove what was noted long ago in a store, whatever the address; return the number.

    A result whose blobs are forgotten so is asked for again.
    root -- folder of the store
    now  -- in seconds since 1970
    dry  -- remove nothing
    Raises OSError.
    """
    old = []
    for path in sorted((root / FOLDER).glob("*/*/*")):
        with suppress(FileNotFoundError):  # somebody else removes old notes, too
            if path.stat().st_mtime < now - _KEPT:
                old.append(path)
    for path in () if dry else old:
        path.unlink(missing_ok=True)
    return len(old)


class Away:
    """The blobs at one address; another user or password there changes nothing.

    root -- folder of the store that blobs are fetched into
    """

    def __init__(self, root: Path, address: str) -> None:
        parts = urlsplit(address)
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._folder = f"{root}/{FOLDER}/{hashlib.sha256(place.encode()).hexdigest()[:16]}"

    def _path(self, sha256: str) -> str:
        return f"{self._folder}/{sha256[:2]}/{sha256}"

    def missing(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of the blobs that it was not seen to have."""
        if not os.path.isdir(self._folder):
            return frozenset(digests)
        return frozenset(sha256 for sha256 in digests if not os.path.exists(self._path(sha256)))

    def size(self, sha256: str) -> int | None:
        """Return the size in bytes of a blob that it has; None if that is not known."""
        try:
            return int(Path(self._path(sha256)).read_bytes())
        except (OSError, ValueError):
            return None

    def note(self, sha256: str, size: int) -> None:
        """Note that it has a blob. Raises OSError."""
        replace(Path(self._path(sha256)), b"%d" % size)

    def forget(self, sha256: str) -> None:
        """Note that it has a blob no more."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(sha256))
