"""A recipe's archive as the fetcher is asked for it."""

from __future__ import annotations

from quard.execute.request import Request, Variant
from quard.model import Recipe
from quard.plan.render import render


def request(name: str, recipe: Recipe, *, strict: bool = False) -> Request | None:
    """Return the request for a recipe's archive; None where it has none.

    Upstream's bytes come first, then each other packing of the same release, unless `strict`.
    """
    source = recipe.source
    if source is None:
        return None
    values = {"name": name, "version": recipe.version}
    urls = tuple(render(url, values) for url in (source.url, *source.mirrors))
    variants = [Variant(_file(urls[0]), source.sha256, urls, source.size)]
    for other in () if strict else source.alternates:
        url = render(other.url, values)
        variants.append(Variant(_file(url), other.sha256, (url,), other.size))
    return Request(name, tuple(variants), strict=strict and bool(source.alternates))


def _file(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
