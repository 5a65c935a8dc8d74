"""Checks of a recipe's sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations

from quard import sites
from quard.base.files import is_sha256
from quard.base.names import meant
from quard.model import Custom, Folder, Git, Source, ToolchainRuntime
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding, twice

_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\Z")
_ADDRESS = re.compile(r"(https?|ftp|file|git|ssh)://[^\s]+\Z|[a-z0-9]+:[^/\s][^\s]*[^/\s]\Z")


def sources(package: Package, catalog: Catalog) -> Iterator[Finding]:
    found = package.recipe.sources
    if not found:
        if not isinstance(package.recipe, Custom | ToolchainRuntime):
            yield finding(package, "sources", "is missing", "missing-source")
        return
    yield from _places(package)
    for number, source in enumerate(found, start=1):
        field = f"source {number}" if len(found) > 1 else "source"
        if isinstance(source, Folder):
            yield from _folder(package, source)
            continue
        yield from _pinned(package, field, source)
        for url in _addresses(source):
            if not is_address(url):
                yield finding(package, "sources", f"not an address: {url!r}", "bad-address")
            elif text := unknown_site(url, catalog.sites):
                yield finding(package, "sources", text, "unknown-site")


def is_address(text: str) -> bool:
    """Return whether a text has the form of a source's address."""
    return _ADDRESS.match(text) is not None


def unknown_site(address: str, trees: sites.Sites) -> str:
    """Return what is wrong with the site of an address; "" if nothing is.

    trees -- the sites of product trees
    """
    site = sites.split(address)[0]
    if not site or site in sites.bases() or site in trees:
        return ""
    known = sorted(sites.known(trees))
    listed = f"known: {', '.join(known)}"
    return f"unknown site {site!r}; {meant(site, known, listed)}"


def _places(package: Package) -> Iterator[Finding]:
    """Check where sources are unpacked."""
    top, *others = package.recipe.sources
    if top.into:
        text = "the first source is the source tree itself: it has no `into`"
        yield finding(package, "sources", text, "bad-into")
    yield from twice(package, "sources", tuple(other.into for other in others if other.into))
    for other in others:
        name = other.path if isinstance(other, Folder) else other.address
        if not other.into:
            text = f"{name} needs `into`, a folder of the first source's tree"
            yield finding(package, "sources", text, "bad-into")
        elif not is_inside(other.into) or "{" in other.into:
            text = f"into={other.into!r} must be a path in the source, such as lib/x"
            yield finding(package, "sources", text, "bad-into")
        if isinstance(other, Source) and other.alternates:
            text = f"{name}: only the first source may have alternates"
            yield finding(package, "sources", text, "further-alternates")
    for outer, inner in permutations([one.into for one in others if isinstance(one, Folder)], 2):
        if outer and inner.startswith(f"{outer}/"):
            text = f"into={inner!r} is inside the folder of the recipe in {outer}"
            yield finding(package, "sources", text, "bad-into")


def _folder(package: Package, source: Folder) -> Iterator[Finding]:
    """Check the recipe's own folder."""
    if not is_inside(source.path) or "{" in source.path:
        text = f"{source.path!r} must be a path below the recipe's folder, such as src"
        yield finding(package, "sources", text, "bad-into")
    for name in () if source.into else package.beside:
        if name.endswith(".patch"):
            text = f"{name}: change the files in {source.path} instead, they are the recipe's own"
            yield finding(package, "sources", text, "patched-folder")


def is_inside(path: str) -> bool:
    """Return whether a path is relative, normal, and leads to no folder above."""
    return not path.startswith("/") and {"", ".", ".."}.isdisjoint(path.split("/"))


def _pinned(package: Package, field: str, source: Source | Git) -> Iterator[Finding]:
    """Check what says which bytes a source is."""
    if isinstance(source, Source):
        yield from _archive(package, field, source)
        return
    if not _COMMIT.match(source.commit):
        text = (
            "must be the full name of a commit, 40 or 64 hexadecimal digits: a branch or tag moves"
        )
        yield finding(package, f"{field}.commit", text, "malformed-commit")
    if not is_sha256(source.tree):
        reason = "malformed-hash" if source.tree else "missing-hash"
        text = "must be 64 lower-case hexadecimal digits; docs/sources.md says how to get them"
        yield finding(package, f"{field}.tree", text, reason)


def _archive(package: Package, field: str, source: Source) -> Iterator[Finding]:
    hashes = [(f"{field}.sha256", source.sha256)]
    hashes += [(f"alternate {a.address}", a.sha256) for a in source.alternates]
    for name, sha256 in hashes:
        if not is_sha256(sha256):
            reason = "malformed-hash" if sha256 else "missing-hash"
            yield finding(package, name, "must be 64 lower-case hexadecimal digits", reason)
    if len({sha256 for _, sha256 in hashes}) < len(hashes):
        yield finding(
            package, f"{field}.alternates", "equal bytes belong in `mirrors`", "same-hash-twice"
        )
    if not source.provenance:
        yield finding(
            package, f"{field}.provenance", "say where the hash comes from", "missing-provenance"
        )


def _addresses(source: Source | Git) -> tuple[str, ...]:
    alternates = source.alternates if isinstance(source, Source) else ()
    return (source.address, *source.mirrors, *(other.address for other in alternates))
