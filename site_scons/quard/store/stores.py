"""Access to all stores: this checkout's first, then the one that checkouts share.

A lookup reads a record and asks once which of its blobs are missing. Blobs are read and verified
when they are used, because a cache hit often needs few of them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quard.base.errors import QuardError
from quard.base.files import replacing
from quard.store.local import Store

EMPTY = hashlib.sha256(bytes(10240)).hexdigest()
"""SHA-256 of the blob without files, a part of most packages: an empty tar record."""


class Stores:
    """The stores, searched in order.

    local  -- this checkout's, for results that only it may use (of local trees, incremental and
              unsealed builds)
    shared -- the user's, for all checkouts
    """

    def __init__(self, local: Store, shared: Store) -> None:
        self._local = local
        self._shared = shared

    @property
    def all(self) -> tuple[Store, ...]:
        return (self._local, self._shared)

    def tell(self, line: str) -> None:
        """Report a loss to the user."""
        self._shared.tell(line)

    def home(self, *, local: bool) -> Store:
        """Return the store for a result.

        local -- others cannot determine what the result was made from
        """
        return self._local if local else self._shared

    def missing(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of the blobs that no store has. Each store is asked once.

        The empty blob is never missing: most packages have it, and losing it would rebuild them.
        """
        left = frozenset(digests) - {EMPTY}
        for store in self.all:
            left = store.missing(left) if left else left
        return left

    def record(self, key: str) -> dict[str, Any] | None:
        """Return the record of a result if all of its blobs exist.

        If no store has such a record, the missing blobs of others are reported.
        """
        lines = []
        for store in self.all:
            record = store.record(key)
            if record is None:
                continue
            missing = self.missing(record["blobs"].values())
            if not missing:
                return record
            name = record.get("name", "a package")
            for part, sha256 in sorted(record["blobs"].items()):
                if sha256 in missing:
                    lines.append(_damage(store, name, part, sha256, "is missing"))
        for line in lines:
            self.tell(line)
        return None

    def blob(self, sha256: str) -> Path | None:
        """Return the path of a verified blob; None if no store has it intact."""
        found = next((s.path(sha256) for s in self.all if s.verify(sha256)), None)
        if found is None and sha256 == EMPTY:
            from quard.store import blob  # noqa: PLC0415 - a null build packs nothing

            with self.scratch() as folder:
                blob.pack(folder, (), folder / "empty")
                return self._shared.path(self._shared.add(folder / "empty"))
        return found

    def extract(self, sha256: str, into: Path) -> bool:
        """Unpack a blob and verify it, see blob.extract; return False if it is not intact.

        `into` must then be discarded.
        """
        from quard.store import blob  # noqa: PLC0415 - a null build unpacks nothing

        if sha256 == EMPTY:
            into.mkdir(parents=True, exist_ok=True)
            return True
        owners = [store for store in self.all if store.has(sha256)]
        if len(owners) > 1:  # one of them may be damaged, and `into` cannot be used twice
            owners = [store for store in owners if store.verify(sha256)]
        if not owners:
            return False
        store = owners[0]
        try:
            blob.extract(store.path(sha256), into, sha256)
        except FileNotFoundError:
            if store.has(sha256):
                raise
            return False
        except QuardError as error:
            if error.reason != "corrupt-blob":
                raise
            store.verify(sha256)  # which removes it
            return False
        return True

    def copy(self, sha256: str, place: Path) -> bool:
        """Copy a verified blob to a file; return False if no store has it intact."""
        path = self.blob(sha256)
        if path is None:
            return False
        try:
            with replacing(place) as part:
                shutil.copyfile(path, part)
                part.chmod(0o644)
        except FileNotFoundError:
            if path.exists():
                raise
            return False
        return True

    def lost(self, key: str, name: str, part: str, sha256: str) -> str:
        """Drop the record of a result with a lost blob; return a line that reports the loss.

        key -- of the result; "" if that is not known
        """
        naming = [s for s in self.all if key and _names(s.record(key), sha256)]
        for store in naming:
            store.drop(key)
        owner = next((store for store in self.all if store.has(sha256)), None)
        if wrong := next((store for store in self.all if store.has_removed(sha256)), None):
            return _damage(wrong, name, part, sha256, "did not have its hash and was removed")
        if owner:
            return _damage(owner, name, part, sha256, "is not an archive")
        if naming:
            return _damage(naming[0], name, part, sha256, "is missing")
        what = f"the {part} part of {name} (blob {sha256})"
        return f"the store no longer has {what}; {name} is rebuilt"

    def keep(self, key: str, record: Mapping[str, Any]) -> None:
        """Store a record in the store that has its blobs."""
        self.home(local=record["local"]).put_record(key, record)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield an empty folder of the shared store, see Store.scratch."""
        with self._shared.scratch() as folder:
            yield folder

    def sweep(self) -> None:
        """Remove leftovers of killed users of the stores."""
        for store in self.all:
            store.sweep()


def _names(record: Mapping[str, Any] | None, sha256: str) -> bool:
    return record is not None and sha256 in record["blobs"].values()


def _damage(store: Store, name: str, part: str, sha256: str, fault: str) -> str:
    return (
        f"the store in {store.root} is damaged: the {part} part of {name} (blob {sha256}) {fault};"
        f" {name} is rebuilt"
    )
