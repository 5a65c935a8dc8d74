"""Results that were taken from a remote cache: which blobs of a store are theirs.

Their records are not in the store, as some of their blobs are not either. Without a note, the blobs
that were fetched would belong to nothing: they would be removed after a day, and no limit would
reach them before.

Layout: taken/ab/<key>, the digests of all blobs of a result, one a line.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from quard.base.files import is_sha256, replace

FOLDER = "taken"
_DAY = 24 * 3600


def note(root: Path, key: str, digests: Iterable[str]) -> None:
    """Note that a result is used, whose blobs may be fetched into the store. Raises OSError."""
    path = root / FOLDER / key[:2] / key
    text = "".join(f"{sha256}\n" for sha256 in sorted(set(digests)))
    with suppress(OSError, ValueError):
        if path.read_text(encoding="ascii") == text:
            if path.stat().st_mtime < time.time() - _DAY:
                os.utime(path)
            return
    replace(path, text.encode("ascii"))


def results(root: Path) -> Iterator[tuple[Path, frozenset[str] | None]]:
    """Yield the note of each result and its blobs; None for a damaged note. Raises OSError."""
    for path in sorted((root / FOLDER).glob("*/*")):
        try:
            names = path.read_text(encoding="ascii").split("\n")
        except (FileNotFoundError, IsADirectoryError):
            continue  # another run shrinks the store, too
        except ValueError:
            names = []
        whole = len(names) > 1 and not names[-1] and all(map(is_sha256, names[:-1]))
        yield path, frozenset(names[:-1]) if whole else None
