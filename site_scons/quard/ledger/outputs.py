"""Access to the packages' results: their blobs and the content of their records."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    def blobs(self, parts: Iterable[PartOf]) -> Iterator[dict[PartOf, Path]]:
        """Yield the verified blobs of parts of packages.

        If one of them is lost, or changed, while the block uses it, that is the error: LostResult.
        What the block has made must then be discarded.
        """
        digests = self._digests(parts)
        self._stores.gather(digests.values())
        # Many packages have the same part, which is verified once: that without files.
        first: dict[str, PartOf] = {}
        for each, sha256 in digests.items():
            first.setdefault(sha256, each)
        paths = {each: self._verified(*each, sha256) for sha256, each in first.items()}
        found = {each: paths[first[sha256]] for each, sha256 in digests.items()}
        before = {each: _state(path) for each, path in paths.items()}
        try:
            yield found
        except (QuardError, OSError):
            for each in found:
                self.blob(*each)
            raise
        for each, path in paths.items():
            if _state(path) != before[each]:
                self.blob(*each)

    def _digests(self, parts: Iterable[PartOf]) -> dict[PartOf, str]:
        """Return the digests of parts, for which each package's record is read once."""
        records: dict[str, Mapping[str, Any]] = {}
        found = {}
        for name, part in parts:
            if name not in records:
                records[name] = read_record(self.results(name))
            found[name, part] = recorded(self.results(name), part, records[name])
        return found

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


def _state(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is written or replaced; None if it does not exist."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
