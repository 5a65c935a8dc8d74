"""The cache of verified archives: where each one is, and whether it is available locally.

A source is cached as `CACHE/PACKAGE/FILE`, its final name: bytes get that name only after their
sha256 has been compared, so a wrong or partial file never has it. Each package has a folder, since
two upstreams may both call their file `v1.0.tar.gz`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from quard.plan.source import Request, Variant


@dataclass(frozen=True)
class Fetched:
    """A verified file; `address` is where it came from, empty if it was in the cache."""

    path: Path
    sha256: str
    address: str


class Archives:
    """The archives of one cache, and those in the user's own folders.

    folders -- searched for a file of the archive's name; never written to
    """

    def __init__(self, cache: Path, folders: tuple[Path, ...] = ()) -> None:
        self.cache = cache
        self._folders = folders

    def place(self, package: str, file: str) -> Path:
        """Return where a file belongs in the cache."""
        for name in (package, file):
            if name != Path(name).name or name.startswith("."):
                raise ValueError(f"not a file name: {name!r}")
        return self.cache / package / file

    def at_hand(self, request: Request) -> bool:
        """Return whether the cache or a folder has a file of a right name; no hash is computed.

        For decisions that every build makes; an actual fetch verifies the hash.
        """
        return any(
            self.place(request.package, variant.file).is_file()
            or any((f / n).is_file() for f in self._folders for n in names(variant))
            for variant in request.variants
        )


def names(variant: Variant) -> tuple[str, ...]:
    """Return the names that these bytes may have; a mirror may have its own name for them."""
    others = [unquote(address).rpartition("/")[2] for address in variant.addresses]
    return tuple(dict.fromkeys(name for name in (variant.file, *others) if name))
