"""Where a verified archive lies in the cache, and whether one is at hand.

A source lies in `CACHE/PACKAGE/FILE`, which is its right name: bytes get it only after their
sha256 was compared, so that a wrong or half file never has it. The folder per package keeps two
packages apart whose upstreams both call their file `v1.0.tar.gz`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from quard.plan.source import Request, Variant


@dataclass(frozen=True)
class Fetched:
    """A verified file; `address` is where it came from, empty when it lay in the cache."""

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
        """Tell whether a file of a right name lies in the cache or a folder; its hash is not read.

        For decisions that every build takes: a real fetch verifies.
        """
        return any(
            self.place(request.package, variant.file).is_file()
            or any((f / n).is_file() for f in self._folders for n in names(variant))
            for variant in request.variants
        )


def names(variant: Variant) -> tuple[str, ...]:
    """Return the names that these bytes are known by: a mirror may have given them another."""
    others = [unquote(address).rpartition("/")[2] for address in variant.addresses]
    return tuple(dict.fromkeys(name for name in (variant.file, *others) if name))
