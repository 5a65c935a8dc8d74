"""Fetching pinned packages from the Debian archives that this machine knows."""

from __future__ import annotations

from pathlib import Path

from quard.base.errors import QuardError
from quard.plan.source import Request, Variant
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import DEBIAN
from quard.tools.lock import LockedPackage

_SUPERSEDED = (
    "a mirror has a file only until a newer version replaces it: name an archive that keeps all of"
    " them in local.toml ([tools] mirrors), or run ./scons tools-update"
)
_UNREACHED = (
    "connect this machine, or name another archive ([tools] mirrors in local.toml); ./scons source"
    " decides again which tools builds use"
)
_GONE = "HTTP 404"
_UNNAMED = (
    "name a Debian archive: [tools] mirrors in local.toml, or tools.mirrors=ADDRESS on the command"
    " line"
)
_OTHER = (
    "the mirror is damaged or changes its files: name another one in local.toml ([tools] mirrors);"
    " if all of them have this file, run ./scons tools-update"
)


class Packages:
    """Fetches packages into a cache; several threads may use it at once.

    fetcher -- of the cache of packages, `CACHE/tools/debs`
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def fetch(self, package: LockedPackage) -> Path:
        """Return where a package's verified file is.

        Raises QuardError: `tools-unavailable`, `hash-mismatch`, and as `Fetcher.fetch` does.
        """
        name = package.file.rpartition("/")[2]
        address = f"{DEBIAN}{package.file}"
        variant = Variant(name, package.sha256, (address,), package.size)
        try:
            return self._fetcher.fetch(Request(package.name, (variant,))).path
        except QuardError as error:
            if error.reason == "no-source":
                locations = self._fetcher.locations
                if not locations.offline and not locations.expand(address):
                    raise _no_mirror() from None
                raise _unavailable(package, error) from None
            if error.reason == "hash-mismatch":
                raise _other(package, error) from None
            if error.reason == "cache-unusable":
                error.reword(f"cannot store the pinned tool {package.name}")
            raise


def _no_mirror() -> QuardError:
    return QuardError(
        "could not download the pinned tools: [tools] mirrors names no Debian archive, and there is"
        " no apt that knows one",
        reason="tools-unavailable",
        hint=_UNNAMED,
    )


def _unavailable(package: LockedPackage, error: QuardError) -> QuardError:
    return QuardError(
        f"could not download the pinned tool {package.name} {package.version}",
        detail=error.detail,
        reason="tools-unavailable",
        hint=_SUPERSEDED if _GONE in error.detail else _UNREACHED,
    )


def _other(package: LockedPackage, error: QuardError) -> QuardError:
    return QuardError(
        f"the file of the pinned tool {package.name} {package.version} does not match the lock",
        detail=error.detail,
        reason=error.reason,
        hint=_OTHER,
    )
