"""What the fetcher is asked for, and what it hands over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Variant:
    """One form of a release: the file's name, the hash of its bytes, and where they are.

    size -- in bytes; 0 where the recipe does not say
    """

    file: str
    sha256: str
    addresses: tuple[str, ...]
    size: int = 0


@dataclass(frozen=True)
class Request:
    """What a package wants: any one of the variants, the first one being upstream's bytes.

    strict -- the recipe has alternates, which the settings leave out
    """

    package: str
    variants: tuple[Variant, ...]
    strict: bool = False

    def variant(self, sha256: str) -> Variant | None:
        """Return the variant with these bytes."""
        return next((one for one in self.variants if one.sha256 == sha256), None)


@dataclass(frozen=True)
class Fetched:
    """A verified file; `address` is where it came from, empty when it lay in the cache."""

    path: Path
    sha256: str
    address: str
