"""The cache of verified archives: where each one is, and whether it is available locally.

A source is cached as `CACHE/SHA256/FILE`, so that packages with one archive share it, and people
see its name. Bytes get a final name only after their sha256 has been compared, so a wrong or
partial file never has one. Packages may give the same bytes different names: the first one stays.

Files that people put into `CACHE` are taken as well, and those that earlier versions kept in
`CACHE/PACKAGE`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from quard.base.files import file_sha256
from quard.base.record import Record, record
from quard.plan.source import Request, Variant
from quard.sites import file_name


@record
class Fetched(Record):
    """A verified file.

    file    -- its name in the recipe; that of `path` may be another package's
    address -- where it came from, empty if it was in the cache
    """

    path: Path
    sha256: str
    file: str
    address: str


class Archives:
    """The archives of one cache, and those in the user's own folders.

    folders -- searched for a file of the archive's name; never written to
    """

    def __init__(self, cache: Path, folders: tuple[Path, ...] = ()) -> None:
        self.cache = cache
        self._folders = folders

    def place(self, variant: Variant) -> Path:
        """Return where a file belongs in the cache."""
        return self.cache / _plain(variant.sha256) / _plain(variant.file)

    def kept(self, variant: Variant) -> Path | None:
        """Return where the cache has these bytes, under whichever name; None if it has not."""
        place = self.place(variant)
        if os.path.lexists(place):
            return place
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            others = (path for path in sorted(place.parent.iterdir()) if _is_final(path))
            return next(others, None)
        return None

    def given(self, request: Request, variant: Variant) -> Iterator[Path]:
        """Yield the files of its name that people or earlier versions have put into the cache."""
        file = _plain(variant.file)
        for path in (self.cache / file, self.cache / _plain(request.package) / file):
            if path.exists() and not path.is_dir():  # reading a pipe is an error
                yield path

    def at_hand(self, request: Request) -> bool:
        """Return whether the cache or a folder has a file of a right name.

        For decisions that every build makes: only files that people have put into the cache are
        verified, which nothing else removes. An actual fetch verifies all.
        """
        return any(
            self.kept(variant) is not None
            or any(file_sha256(path) == variant.sha256 for path in self.given(request, variant))
            or any((f / n).is_file() for f in self._folders for n in names(variant))
            for variant in request.variants
        )


def _plain(name: str) -> str:
    if name != Path(name).name or name.startswith("."):
        raise ValueError(f"not a file name: {name!r}")
    return name


def _is_final(path: Path) -> bool:
    """Return whether a file is neither a lock nor a part of a download."""
    hidden = path.name.startswith(".")
    return not hidden and not path.name.endswith((".part", ".part.json", ".part.json.new"))


def names(variant: Variant) -> tuple[str, ...]:
    """Return the names that these bytes may have; a mirror may have its own name for them."""
    others = [unquote(file_name(address)) for address in variant.addresses]
    return tuple(dict.fromkeys(name for name in (variant.file, *others) if name))
