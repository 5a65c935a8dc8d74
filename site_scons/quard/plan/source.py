"""A recipe's archive: the accepted digests, and the request to the fetcher."""

from __future__ import annotations

from dataclasses import dataclass

from quard.base.record import Record
from quard.model import Recipe
from quard.recipes.placeholders import render


@dataclass(frozen=True, repr=False)
class Variant(Record):
    """One archive of a release: the file's name, the hash of its bytes, and their addresses.

    size -- in bytes; 0 if the recipe does not give it
    """

    file: str
    sha256: str
    addresses: tuple[str, ...]
    size: int = 0


@dataclass(frozen=True, repr=False)
class Request(Record):
    """A request for a package's archive: any one of the variants, upstream's first.

    strict -- the recipe has alternates, which the settings exclude
    """

    package: str
    variants: tuple[Variant, ...]
    strict: bool = False

    def variant(self, sha256: str) -> Variant | None:
        """Return the variant with these bytes."""
        return next((one for one in self.variants if one.sha256 == sha256), None)


def accepted(recipe: Recipe, *, strict: bool = False) -> tuple[str, ...]:
    """Return the digests that are accepted for the recipe's archive, upstream's first.

    strict -- only upstream's
    """
    if not recipe.sources:
        return ()
    source = recipe.sources[0]
    alternates = () if strict else source.alternates
    return (source.sha256, *(other.sha256 for other in alternates))


def request(name: str, recipe: Recipe, *, strict: bool = False) -> Request | None:
    """Return the request for a recipe's archive; None if it has none.

    Upstream's archive comes first, then the alternates, unless `strict`.
    """
    if not recipe.sources:
        return None
    source = recipe.sources[0]
    values = {"name": name, "version": recipe.version}
    urls = tuple(render(url, values) for url in (source.address, *source.mirrors))
    variants = [Variant(_file(urls[0]), source.sha256, urls, source.size)]
    for other in () if strict else source.alternates:
        url = render(other.address, values)
        variants.append(Variant(_file(url), other.sha256, (url,), other.size))
    return Request(name, tuple(variants), strict=strict and bool(source.alternates))


def _file(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
