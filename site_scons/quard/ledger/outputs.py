"""What the packages' result files say, and the blobs that they name."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.files import replacing
from quard.ledger.results import (
    UNSEALED,
    LostResult,
    Results,
    acceptable,
    look,
    lost_blob,
    made_from,
    read,
)
from quard.store import blob
from quard.store.local import Store


class Outputs:
    """The results of one board.

    folder -- of the result files
    store  -- shared with other checkouts
    local  -- of this checkout: what only it may use
    """

    def __init__(self, folder: Path, store: Store, local: Store) -> None:
        self._folder = folder
        self._store = store
        self._local = local

    def results(self, name: str) -> Results:
        """Return where a package's result files lie."""
        return Results(self._folder, name)

    def difference(self, name: str, before: str, now: str) -> tuple[str, ...]:
        """Tell what changed in a package's interface between two digests, as far as is known."""
        from quard.parts.interface import difference  # noqa: PLC0415

        known = {}
        for path in (self.results(name).earlier, self.results(name).interface):
            try:
                found = json.loads(path.read_bytes())["interface"]
                known[canonical.digest(found)] = found
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                continue
        return difference(known[before], known[now]) if {before, now} <= known.keys() else ()

    def unsealed(self, names: Iterable[str]) -> frozenset[str]:
        """Return the packages whose results here were not made sealed, as far as they are there."""
        if not (self._folder / UNSEALED).exists():
            return frozenset()
        there = (self.results(name) for name in names)
        made = {found.name: made_from(found) for found in there if found.interface.exists()}
        return frozenset(name for name, inputs in made.items() if not (inputs or {}).get("sealed"))

    def unaccepted(self, archives: Mapping[str, Sequence[str]]) -> frozenset[str]:
        """Return the packages whose results here were made from an archive that is not accepted.

        archives -- package -> those that its plan accepts
        """
        there = (name for name in archives if self.results(name).interface.exists())
        made = {name: made_from(self.results(name)) for name in there}
        return frozenset(
            n for n, old in made.items() if not old or old["archive"] not in archives[n]
        )

    def archive(self, name: str) -> Mapping[str, str] | None:
        """Return the file name and the sha256 of the archive that a result is made from."""
        try:
            found = json.loads(self.results(name).record.read_bytes()).get("archive")
        except (OSError, ValueError, AttributeError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def forget(self, names: Iterable[str]) -> None:
        """Remove the results of packages, so that this run makes them anew."""
        for name in names:
            self.results(name).interface.unlink(missing_ok=True)

    def lost(self, name: str) -> Iterator[Path]:
        """Yield the result files of a package that name a blob which is gone."""
        results = self.results(name)
        for path, part in ((results.runtime, "runtime"), (results.deploy, "deploy")):
            try:
                digest = look(path, part)
            except FileNotFoundError:
                continue
            if digest is None or not self.has(digest):
                yield path

    def blobs(self, name: str) -> tuple[str, ...]:
        """Return the blobs that a package's result files name, as far as they can be read."""
        results, found = self.results(name), []
        for path, part in ((results.runtime, "runtime"), (results.deploy, "deploy")):
            with contextlib.suppress(FileNotFoundError):
                found.append(look(path, part))
        return tuple(sha256 for sha256 in found if sha256)

    def has(self, sha256: str) -> bool:
        """Tell whether a blob is there; what is in it is verified when it is used."""
        return self._store.has(sha256) or self._local.has(sha256)

    def stored(self, now: Mapping[str, Any], archives: Sequence[str]) -> dict[str, Any] | None:
        """Return what the stores have for a package's inputs, as `results.depends` returns them.

        archives -- those that the package's plan accepts
        """
        for made in acceptable(now, archives):
            key = canonical.digest(made)
            if found := self._store.result(key) or self._local.result(key):
                return found
        return None

    def runtime_digest(self, name: str) -> str:
        """Return the digest of what a package installs."""
        return read(self.results(name).runtime, "runtime")

    def deploy_digest(self, name: str) -> str:
        """Return the digest of what a package puts beside the images."""
        return read(self.results(name).deploy, "deploy")

    def runtime_blob(self, name: str) -> Path:
        """Return the blob of what a package installs. Raises QuardError blob-missing."""
        return self._blob(self.results(name).runtime, "runtime", name)

    def recorded_blob(self, name: str, part: str) -> Path:
        """Return the blob of any part of a package's result. Raises QuardError blob-missing."""
        return self._there(read(self.results(name).record, "blobs", part), self.results(name))

    def deploy(self, name: str, folder: Path) -> None:
        """Put a package's files for the images folder there."""
        path = self._blob(self.results(name).deploy, "deploy", name)
        with self._store.scratch() as scratch:
            blob.extract(path, scratch / "deploy", path.name)
            for file in blob.walk(scratch / "deploy"):
                place = folder / file
                with replacing(place) as part:
                    shutil.copyfile(scratch / "deploy" / file, part, follow_symlinks=False)

    def _blob(self, result: Path, part: str, name: str) -> Path:
        try:
            return self._there(read(result, part), self.results(name))
        except LostResult:
            result.unlink(missing_ok=True)
            raise

    def _there(self, digest: str, results: Results) -> Path:
        """Return the blob with a digest, verified. Raises QuardError blob-missing."""
        for store in (self._store, self._local):
            if store.verify(digest):
                return store.path(digest)
        raise lost_blob(results.name, digest)
