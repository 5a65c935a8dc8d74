"""Access to the packages' results: their blobs and the content of their records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from quard.base import canonical
from quard.base.files import replacing
from quard.ledger.results import Results, lost_blob, recorded
from quard.store import blob
from quard.store.stores import Stores


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

    def blob(self, name: str, part: str) -> Path:
        """Return the blob of a part of a package, verified. Raises LostResult."""
        results = self.results(name)
        sha256 = recorded(results, "blobs", part)
        found = self._stores.blob(sha256)
        if found is None:
            raise lost_blob(results, sha256)
        return found

    def deploy(self, name: str, file: str, place: Path) -> None:
        """Put one of a package's deploy files into the images' folder."""
        path = self.blob(name, "deploy")
        with self._stores.scratch() as scratch:
            blob.extract(path, scratch / "deploy", path.name)
            with replacing(place) as part:
                shutil.copyfile(scratch / "deploy" / file, part, follow_symlinks=False)
