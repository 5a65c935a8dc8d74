"""Named sites: what `gnu:` and the like stand for in a source's address."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

DEBIAN, PYPI = "debian", "pypi"
"""Sites whose places are the machine's own configuration: that of apt, and that of pip."""
GIT = "git+"
"""What the address of a commit begins with, before that of its repository."""
_FILE = Path(__file__).with_name("sites.toml")


Sites = Mapping[str, tuple[str, ...]]
"""Name of a site -> its base addresses, the best one first."""


def split(address: str) -> tuple[str, str]:
    """Return an address's site and the path on it; the site is empty for a complete address."""
    site, colon, path = address.partition(":")
    if not colon or path.startswith("//"):
        return "", address
    return site, path


def file_name(address: str) -> str:
    """Return the name of the file at an address."""
    return split(address)[1].rstrip("/").rpartition("/")[2]


@cache
def bases() -> Sites:
    """Return those of Quardroot's own sites; there are none for the machine's."""
    found = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: tuple(site["bases"]) for name, site in found.items()} | {DEBIAN: (), PYPI: ()}


def known(trees: Sites) -> Sites:
    """Return the base addresses of all sites.

    trees -- those of product trees, which may replace Quardroot's
    """
    return {**bases(), **trees}


def expand(address: str, trees: Sites) -> tuple[str, ...]:
    """Return the complete addresses that an address stands for.

    An address that is complete, or on one of the machine's own sites, stands for itself. Raises
    KeyError for an unknown site.

    trees -- the sites of product trees
    """
    if address.startswith(GIT):
        return tuple(f"{GIT}{one}" for one in expand(address.removeprefix(GIT), trees))
    site, path = split(address)
    if not site or site in (DEBIAN, PYPI):
        return (address,)
    return tuple(joined(base, path) for base in known(trees)[site])


def joined(base: str, path: str) -> str:
    """Return the address of a path on a site."""
    return f"{base.rstrip('/')}/{path.lstrip('/')}"
