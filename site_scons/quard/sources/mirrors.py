"""Places to look for sources: the user's, and the machine's mirror of the Debian archive."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import field
from pathlib import Path
from urllib.parse import quote, urlsplit

from quard import sites
from quard.base import given
from quard.base.record import Record, record
from quard.process.starting import run
from quard.sites import Sites
from quard.sources.attempt import Failed, Limits

DEBIAN = f"{sites.DEBIAN}:"
"""Prefix of an address that is relative to the root of any mirror of Debian's archive."""

_MIRROR_LIST = "mirror+file:"
_TARGETS = ("apt-get", "indextargets", "--format", "$(ORIGIN)\t$(REPO_URI)\t$(SITE)")
_TIMEOUT = 30


@record
class Locations(Record):
    """Where this site looks for sources, from the user's settings.

    folders -- searched for a file of the source's name; never written to
    mirrors -- base addresses (http, https, file) with all files in one folder
    offline -- whether only folders and file addresses are used, not the network
    debian  -- base addresses of Debian's archive, tried before those of apt
    sites   -- base addresses of named sites, tried before the known ones
    trees   -- the named sites of product trees
    """

    folders: tuple[Path, ...] = ()
    mirrors: tuple[str, ...] = ()
    offline: bool = False
    debian: tuple[str, ...] = ()
    sites: Sites = field(default_factory=dict)
    trees: Sites = field(default_factory=dict)

    def mirrored(self, file: str) -> tuple[str, ...]:
        """Return the addresses of `file` at the mirrors."""
        return tuple(f"{base.rstrip('/')}/{quote(file, safe='+~')}" for base in self.mirrors)

    def expand(self, address: str) -> tuple[str, ...]:
        """Return the addresses that `address` stands for here, see `expand` below.

        Raises Failed, which says why there is none.
        """
        if address.startswith(sites.GIT):
            return tuple(f"{sites.GIT}{one}" for one in self.expand(address[len(sites.GIT) :]))
        site, path = sites.split(address)
        near = self.sites.get(site, ())
        if site == sites.PYPI:
            from quard.sources import pypi  # noqa: PLC0415 - like all that loads the HTTP library

            return tuple(pypi.addresses(path, near, Limits(), offline=self.offline))
        if site == sites.DEBIAN:
            near = (*near, *self.debian)
        return (*(sites.joined(base, path) for base in near), *expand(address, self.trees))


def expand(address: str, trees: Sites) -> tuple[str, ...]:
    """Return the addresses that `address` stands for.

    `debian:pool/...` gives one for each base address of Debian's archive that the machine's apt
    is configured with. It gives none if there is no apt, or if apt has not yet read an index of
    Debian. An address on another named site gives one for each of its base addresses, a complete
    one is returned unchanged. Raises Failed for an unknown site.
    """
    site, path = sites.split(address)
    if site == sites.DEBIAN:
        return tuple(sites.joined(base, path) for base in _ARCHIVE.bases())
    try:
        return sites.expand(address, trees)
    except KeyError:
        raise Failed(f"unknown site {site!r}") from None


class _Archive:
    """Base addresses of Debian's archive; apt is queried once per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bases: tuple[str, ...] | None = None

    def bases(self) -> tuple[str, ...]:
        with self._lock:
            if self._bases is None:
                self._bases = _debian_bases(_targets())
            return self._bases


_ARCHIVE = _Archive()


def _targets() -> str:
    """Return apt's list of indexes; empty if apt is missing or broken."""
    try:
        answer = run(_TARGETS, timeout=_TIMEOUT)
    except (FileNotFoundError, PermissionError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.decode(errors="replace") if answer.returncode == 0 else ""


def _debian_bases(targets: str) -> tuple[str, ...]:
    bases: dict[str, None] = {}
    for line in targets.splitlines():
        origin, repository, site = line.split("\t")
        if origin == "Debian":
            # Older versions of apt do not replace a field that they do not know.
            base = site if repository.startswith("$(") or not repository else repository
            bases.update(dict.fromkeys(_plain(base.rstrip("/"))))
    return tuple(bases)


def _plain(base: str) -> tuple[str, ...]:
    """Return the addresses that `base` stands for; those with a method of apt's are omitted."""
    bases = _listed(Path(urlsplit(base).path)) if base.startswith(_MIRROR_LIST) else (base,)
    web = ("http://", "https://")
    return tuple(
        one if one.startswith(web) else Path(urlsplit(one).path).as_uri()
        for one in bases
        if one.startswith((*web, "file:/"))
    )


def _listed(path: Path) -> tuple[str, ...]:
    """Read a list of mirrors, apt-transport-mirror(1): an address per line, then its properties."""
    try:
        lines = given.text(path, errors="replace").splitlines()
    except OSError:
        return ()  # apt could not use it either
    words = [line.split() for line in lines]
    return tuple(word[0].rstrip("/") for word in words if word and not word[0].startswith("#"))
