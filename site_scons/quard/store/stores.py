"""Access to all stores: this checkout's, the one that checkouts share, then a remote cache.

A lookup reads a record and asks once which of its blobs are missing. Blobs are read and verified
when they are used, because a cache hit often needs few of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from quard.base.errors import QuardError
from quard.base.files import content, replace
from quard.store.local import Store

EMPTY = hashlib.sha256(bytes(10240)).hexdigest()
"""SHA-256 of the blob without files, a part of most packages: an empty tar record."""


class Remote(Protocol):
    """A cache elsewhere, see quard.remote.cache."""

    @property
    def host(self) -> str:
        """Its name for users."""

    def gave(self, key: str) -> bool:
        """Return whether the record of a result came from there in this run."""

    def lose(self, key: str, sha256: str) -> bool:
        """Note that a blob of a result is lost; return whether the result may be taken from there.

        It may not if the result came from there in this run.
        """

    def missing(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of the blobs that were not seen there."""

    def record(self, key: str) -> dict[str, Any] | None:
        """Return the record of a result if it is there with all of its blobs."""

    def fetch(self, sha256: str) -> bool:
        """Put a blob into the shared store; return False without an intact one."""

    def fetch_all(self, digests: Iterable[str]) -> None:
        """Fetch several blobs at a time; those that cannot be fetched stay missing."""

    def send(self, key: str, record: Mapping[str, Any]) -> None:
        """Send a result in the background, unless it is there."""


class Stores:
    """The stores, searched in order.

    local  -- this checkout's, for results that only it may use (of local trees, incremental and
              unsealed builds)
    shared -- the user's, for all checkouts
    remote -- a cache that machines share; its blobs are fetched into `shared` when they are used
    """

    def __init__(self, local: Store, shared: Store, remote: Remote | None = None) -> None:
        self._local = local
        self._shared = shared
        self._remote = remote

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
        return self._remote.missing(left) if self._remote and left else left

    def is_away(self, sha256: str) -> bool:
        """Return whether a blob would have to be fetched from the remote cache."""
        if self._remote is None:
            return False
        return not any(store.has(sha256) for store in self.all) and not self.missing((sha256,))

    def gather(self, digests: Iterable[str]) -> None:
        """Fetch those of some blobs, about to be used, that are not here, several at a time."""
        if self._remote:
            self._remote.fetch_all(frozenset(digests) - {EMPTY})

    def _fetched(self, sha256: str) -> bool:
        """Return whether a blob that no store has could be fetched from the remote cache."""
        return self._remote is not None and self._remote.fetch(sha256)

    def origin(self, key: str) -> str:
        """Return where the record of a result came from, for users."""
        if self._remote and self._remote.gave(key):
            return f"the cache at {self._remote.host}"
        return "the store"

    def kind(self, key: str) -> Literal["store", "cache"]:
        """Return whether the record of a result was here or came from a remote cache."""
        return "cache" if self._remote and self._remote.gave(key) else "store"

    def share(self, key: str, record: Mapping[str, Any]) -> None:
        """Send a result to the remote cache, if others can use it."""
        if self._remote and not record["local"] and not self._remote.gave(key):
            self._remote.send(key, record)

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
                    what = _part(name, part, sha256)
                    lines.append(_damage(store, what, "is missing", f"{name} is rebuilt"))
        if self._remote and (found := self._remote.record(key)):
            return found
        for line in lines:
            self.tell(line)
        return None

    def blob(self, sha256: str) -> Path | None:
        """Return the path of a verified blob; None if no store has it intact."""
        found = next((s.path(sha256) for s in self.all if s.verify(sha256)), None)
        if found is None and self._fetched(sha256):
            return self._shared.path(sha256)
        if found is None and sha256 == EMPTY:
            from quard.store import blob  # noqa: PLC0415 - a null build packs nothing

            with self.scratch() as folder:
                blob.pack(folder, (), folder / "empty")
                return self._shared.path(self._shared.add(folder / "empty"))
        return found

    def unverified(self, sha256: str) -> Path | None:
        """Return where `blob` looks first; None if no store has the blob."""
        return next((store.path(sha256) for store in self.all if store.has(sha256)), None)

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
        if not owners and not self._fetched(sha256):
            return False
        store = owners[0] if owners else self._shared
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
        """Copy a small blob, verified, to a file; return False if no store has it intact."""
        found = self._content(sha256)
        if found is None and self.blob(sha256):  # which fetches it
            found = self._content(sha256)
        if found is None:
            return False
        replace(place, found)
        return True

    def _content(self, sha256: str) -> bytes | None:
        """Return the verified content of a blob that a store has; None if none is intact."""
        for store in self.all:
            with suppress(OSError):
                found = content(f"{store.path(sha256)}")
                if hashlib.sha256(found).hexdigest() == sha256:
                    return found
        return None

    def lost(self, key: str, name: str, part: str, sha256: str) -> str:
        """Drop the record of a result with a lost blob; return a line that reports the loss.

        key -- of the result; "" if that is not known
        """
        remedy = f"{name} is rebuilt"
        if self._remote and key and self._remote.lose(key, sha256):
            remedy = f"{name} is taken from the cache at {self._remote.host}, or rebuilt"
        naming = [s for s in self.all if key and _names(s.record(key), sha256)]
        for store in naming:
            store.drop(key)
        what = _part(name, part, sha256)
        owner = next((store for store in self.all if store.has(sha256)), None)
        if wrong := next((store for store in self.all if store.has_removed(sha256)), None):
            return _damage(wrong, what, "did not have its hash and was removed", remedy)
        if owner:
            return _damage(owner, what, "is not an archive", remedy)
        if naming:
            return _damage(naming[0], what, "is missing", remedy)
        return f"the store no longer has {what}; {remedy}"

    def keep(self, key: str, record: Mapping[str, Any]) -> None:
        """Store a record in the store that has its blobs."""
        self.home(local=record["local"]).put_record(key, record)
        self.share(key, record)

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


def _part(name: str, part: str, sha256: str) -> str:
    return f"the {part} part of {name} (blob {sha256})"


def _damage(store: Store, what: str, fault: str, remedy: str) -> str:
    return f"the store in {store.root} is damaged: {what} {fault}; {remedy}"
