"""A Debian release on its mirrors: its signed list of indexes, an index, and packages."""

from __future__ import annotations

import functools
import lzma
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.files import is_sha256
from quard.base.plain import shown
from quard.base.record import Record, record
from quard.plan.source import Request, Variant
from quard.sources.attempt import Failed, Size
from quard.sources.fetch import LIMITS, Fetcher
from quard.sources.mirrors import DEBIAN
from quard.sources.part import Part
from quard.sources.watch import Progress
from quard.tools import dates, signature
from quard.tools.fetching import Packages
from quard.tools.index import Damaged, Index
from quard.tools.lock import LockedPackage

_LARGEST_LIST = 16 << 20
_LARGEST_INDEX = 1 << 30
_FOLDER = "Packages"
"""Of indexes in the cache of packages; no package has a name with capital letters."""
_NO_MIRROR = (
    "name a Debian archive in local.toml, [tools] mirrors; on Debian, apt-get update makes"
    " apt's own mirror known"
)


@record
class Release(Record):
    """What the signed list of a release says.

    version -- as in 13.1
    dated   -- when it was made, see quard.tools.dates
    until   -- when it stops being valid; "" if it says nothing about that
    files   -- path below the release -> sha256 and size
    by_hash -- whether an index is also at a path with its sha256
    """

    name: str
    version: str
    dated: str
    until: str
    files: Mapping[str, tuple[str, int]]
    by_hash: bool


class Mirror:
    """One release as the mirrors have it; several threads may fetch packages at once.

    fetcher  -- of the cache of packages and indexes; it knows the archives
    since    -- date of the oldest list that is used; "" for any
    keyrings -- files of which the first that exists has the release's keys
    """

    def __init__(
        self,
        name: str,
        fetcher: Fetcher,
        progress: Progress,
        *,
        since: str = "",
        keyrings: tuple[Path, ...] = signature.KEYRINGS,
    ) -> None:
        self._name = name
        self._fetcher = fetcher
        self._packages = Packages(fetcher)
        self._progress = progress
        self._since = since
        self._keyrings = keyrings

    def fetch(self, package: LockedPackage) -> Path:
        """Return a package's verified file. Raises as `Packages.fetch` does."""
        return self._packages.fetch(package)

    def stop(self) -> None:
        """End every current and later fetch."""
        self._fetcher.stop()

    @property
    def dated(self) -> str:
        """The date of the release's signed list. Raises as `release` does."""
        return self.release.dated

    @functools.cached_property
    def release(self) -> Release:
        """The release's signed list, from the first mirror that has one which is not outdated.

        Raises QuardError tools-unavailable, bad-signature, bad-tools-index, old-tools-index.
        """
        tried: list[str] = []
        refused = False
        file = f"dists/{self._name}/InRelease"
        for address in self._places(f"{DEBIAN}{file}", tried):
            with tempfile.TemporaryDirectory(prefix="quard-release-") as folder:
                part = Part(Path(folder, "InRelease"))
                try:
                    self._download(address, part)
                except Failed as fault:
                    tried.append(f"{address}: {fault}")
                    continue
                found = self._checked(part.path, address)
                why = dates.refusal(found.dated, found.until, self._since, time.time())
                if not why:
                    return found
                tried.append(f"{address}: {why}")
                refused = True
        if refused:
            raise _outdated(self._name, tried)
        raise QuardError(
            f"no mirror has the Debian release {self._name}",
            detail="\n".join(tried),
            reason="tools-unavailable",
            hint=_NO_MIRROR,
        )

    def index(self, machine: str) -> Index:
        """Return the release's index for an architecture.

        Raises QuardError: tools-unavailable, hash-mismatch, bad-tools-index, and as `release` does.
        """
        release = self.release
        path = f"main/binary-{machine}/Packages.xz"
        if path not in release.files:
            raise signature.unusable(f"dists/{self._name}/InRelease", f"it does not list {path}")
        sha256, size = release.files[path]
        there = f"dists/{self._name}/{path}"
        hashed = f"{there.rpartition('/')[0]}/by-hash/SHA256/{sha256}"
        places = [hashed] * release.by_hash + [there]
        where = tuple(f"{DEBIAN}{place}" for place in places)
        variant = Variant(f"{self._name}-{machine}.xz", sha256, where, size)
        try:
            found = self._fetcher.fetch(Request(_FOLDER, (variant,))).path
        except QuardError as error:
            raise _index_error(error, f"{self._name} for {machine}") from None
        try:
            return Index(_unpacked(found), machine)
        except (Damaged, lzma.LZMAError, EOFError, UnicodeDecodeError) as fault:
            raise signature.unusable(there, str(fault)) from None

    def _places(self, wanted: str, tried: list[str]) -> Iterable[str]:
        """Yield addresses that may be tried; say in `tried` why others are not."""
        locations = self._fetcher.locations
        found = locations.expand(wanted)
        if not found:
            tried.append(f"{wanted}: apt has no index of a Debian archive")
        for address in found:
            if locations.offline and not address.startswith("file:"):
                tried.append(f"{address}: not tried: offline")
            else:
                yield address

    def _download(self, address: str, part: Part) -> None:
        # Loading the HTTP library takes 0.15 s, which a question about the lock need not spend.
        from quard.sources.download import Transfer  # noqa: PLC0415

        Transfer(
            LIMITS,
            threading.Event(),
            functools.partial(self._progress.start, self._name, "InRelease"),
            self._progress.note,
            Size(most=_LARGEST_LIST),
        ).get(address, part)

    def _checked(self, file: Path, address: str) -> Release:
        signed = signature.read(file, address, self._keyrings)
        if signed.unchecked:
            self._progress.note(f"{shown(address)}: signature not checked: {signed.unchecked}")
        found = _parsed(signed.text)
        if found.name != self._name:
            raise signature.unusable(address, f"it is the list of {found.name or 'no release'}")
        if not found.dated:
            raise signature.unusable(address, "it has no date")
        return found


def _parsed(text: str) -> Release:
    """Return what a Release file says; lines of another form are ignored."""
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, int]] = {}
    section = ""
    for line in text.split("\n"):
        if not line.startswith(" "):
            section, _, value = line.partition(":")
            fields[section] = value.strip()
        elif section == "SHA256" and len(words := line.split()) == 3:
            sha256, size, path = words
            if is_sha256(sha256) and size.isdecimal():
                files[path] = (sha256, int(size))
    return Release(
        name=fields.get("Codename", ""),
        version=fields.get("Version", ""),
        dated=dates.parsed(fields.get("Date", "")),
        until=dates.parsed(fields.get("Valid-Until", "")),
        files=files,
        by_hash=fields.get("Acquire-By-Hash") == "yes",
    )


def _outdated(name: str, tried: Iterable[str]) -> QuardError:
    return QuardError(
        f"no mirror has an index of the Debian release {name} that may be used now",
        detail="\n".join(tried),
        reason="old-tools-index",
        hint="name another mirror in local.toml, [tools] mirrors, and check the clock of this"
        " machine; to take an older index on purpose, remove the lock files first",
    )


def _unpacked(file: Path) -> str:
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    data = reader.decompress(file.read_bytes(), max_length=_LARGEST_INDEX)
    if not reader.eof:
        raise EOFError("it ends too early, or is too large")
    return data.decode()


def _index_error(error: QuardError, what: str) -> QuardError:
    if error.reason == "no-source":
        return QuardError(
            f"could not download the index of {what}",
            detail=error.detail,
            reason="tools-unavailable",
            hint=_NO_MIRROR,
        )
    if error.reason == "hash-mismatch":
        return QuardError(
            f"the index of {what} does not match the release's signed list",
            detail=error.detail,
            reason=error.reason,
            hint="the mirror is being updated or is damaged: try again later, or name another one"
            " in local.toml, [tools] mirrors",
        )
    return error
