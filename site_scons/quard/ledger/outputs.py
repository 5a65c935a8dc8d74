"""Access to the packages' results: their blobs and the content of their records."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import replacing
from quard.ledger.results import (
    LostResult,
    Results,
    damaged_record,
    interface_digest,
    lost_blob,
    read_record,
    read_result,
    recorded,
)
from quard.store.stores import Stores

PartOf = tuple[str, str]
"""A package and the name of one of its parts."""


class Unverified(Exception):
    """What was made from some blobs is of no use: they are not intact."""


class Outputs:
    """The packages' results of one board; `folder` holds their files."""

    def __init__(self, folder: Path, stores: Stores) -> None:
        self.folder = folder
        self._stores = stores

    def results(self, name: str) -> Results:
        """Return the paths of a package's result files."""
        return Results(self.folder, name)

    def difference(self, name: str, before: str, now: str) -> tuple[str, ...]:
        """Return what changed in a package's interface between two digests, if known."""
        from quard.parts.interface import difference  # noqa: PLC0415

        known = {}
        for path in (self.results(name).earlier, self.results(name).record):
            try:
                found = json.loads(path.read_bytes())["interface"]
                known[canonical.digest(found)] = found
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                continue
        return difference(known[before], known[now]) if {before, now} <= known.keys() else ()

    def digest(self, name: str, part: str) -> str:
        """Return the digest of a part of a package. Raises LostResult."""
        return recorded(self.results(name), part)

    def dev(self, name: str, interface: str) -> str:
        """Return the digest of the dev part of a package that belongs to an interface.

        Raises LostResult if the record has no such part, or is that of another result.
        """
        results = self.results(name)
        record = read_record(results)
        if interface_digest(record) != interface:
            raise damaged_record(results, "the interface of its result")
        return recorded(results, "dev", record)

    def blob(self, name: str, part: str) -> Path:
        """Return the blob of a part of a package, verified. Raises LostResult."""
        return self._verified(name, part, self.digest(name, part))

    def _verified(self, name: str, part: str, sha256: str) -> Path:
        found = self._stores.blob(sha256)
        if found is None:
            raise lost_blob(name, part, sha256)
        return found

    @contextmanager
    def blobs(self, digests: Mapping[PartOf, str]) -> Iterator[dict[PartOf, Path]]:
        """Yield the verified blobs of parts of packages.

        If one of them is lost, or changed, while the block uses it, that is the error: LostResult.
        What the block has made must then be discarded.
        """
        self._stores.gather(digests.values())
        first = _first(digests)  # many packages have the same part: that without files
        paths = {sha256: self._verified(*each, sha256) for sha256, each in first.items()}
        before = {sha256: _state(path) for sha256, path in paths.items()}
        try:
            yield {each: paths[sha256] for each, sha256 in digests.items()}
        except (QuardError, OSError):
            for sha256, each in first.items():
                self._verified(*each, sha256)
            raise
        for sha256, path in paths.items():
            if _state(path) != before[sha256]:
                self._verified(*first[sha256], sha256)

    @contextmanager
    def unverified(self, digests: Mapping[PartOf, str]) -> Iterator[dict[PartOf, Path]]:
        """Yield the blobs of parts of packages, which a thread verifies while the block uses them.

        Raises Unverified if one of them is not intact, or was changed, also in place of an error
        that the block has met. What the block has made must then be discarded; `blobs` finds out
        what is lost.
        """
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a null build uses none

        self._stores.gather(digests.values())
        found = {sha256: self._stores.unverified(sha256) for sha256 in set(digests.values())}
        paths = {sha256: path for sha256, path in found.items() if path}
        if len(paths) < len(found):
            raise Unverified
        before = {path: _state(path) for path in paths.values()}
        with ThreadPoolExecutor(1) as other:
            verified = other.submit(self._are_intact, paths)
            try:
                yield {each: paths[sha256] for each, sha256 in digests.items()}
            except Exception as error:
                if not (verified.result() and _are_same(before)):
                    raise Unverified from error
                raise
            if not (verified.result() and _are_same(before)):
                raise Unverified

    def _are_intact(self, paths: Mapping[str, Path]) -> bool:
        return all(self._stores.blob(sha256) == path for sha256, path in paths.items())

    def extract(self, name: str, part: str, into: Path) -> None:
        """Unpack a part of a package. Raises LostResult: `into` must then be discarded."""
        sha256 = self.digest(name, part)
        if not self._stores.extract(sha256, into):
            raise lost_blob(name, part, sha256)

    def deploy(self, name: str, file: str, place: Path) -> None:
        """Put one of a package's deploy files into the images' folder. Raises LostResult."""
        with self._stores.scratch() as scratch:
            self.extract(name, "deploy", scratch / "deploy")
            with replacing(place) as part:
                shutil.copyfile(scratch / "deploy" / file, part, follow_symlinks=False)

    def drop(self, lost: LostResult) -> str:
        """Drop a lost result and what the stores have under its key; return a line about it."""
        results = self.results(lost.package)
        found = read_result(results)
        results.result.unlink(missing_ok=True)
        if not lost.sha256:
            return f"{lost.message} ({lost.detail}): the package is rebuilt"
        key = found.key if found else ""
        return self._stores.lost(key, lost.package, lost.part, lost.sha256)


def _first(digests: Mapping[PartOf, str]) -> dict[str, PartOf]:
    """Return the first part that has each blob."""
    found: dict[str, PartOf] = {}
    for each, sha256 in digests.items():
        found.setdefault(sha256, each)
    return found


def _are_same(before: Mapping[Path, tuple[int, ...] | None]) -> bool:
    return all(_state(path) == state for path, state in before.items())


def _state(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is written or replaced; None if it does not exist."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
