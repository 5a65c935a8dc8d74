"""Access to all stores: this checkout's first, then the one that checkouts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quard.store.local import Store


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

    def home(self, *, local: bool) -> Store:
        """Return the store for a result.

        local -- others cannot determine what the result was made from
        """
        return self._local if local else self._shared

    def has(self, sha256: str) -> bool:
        """Return whether a blob exists; its content is verified when it is used."""
        return any(store.has(sha256) for store in self.all)

    def blob(self, sha256: str) -> Path | None:
        """Return the path of a verified blob; None if no store has it intact."""
        return next((s.path(sha256) for s in self.all if s.verify(sha256)), None)

    def record(self, key: str) -> dict[str, Any] | None:
        """Return the record of a result, if all of its blobs are intact."""
        return next((found for s in self.all if (found := s.result(key))), None)

    def keep(self, key: str, record: Mapping[str, Any]) -> None:
        """Store a record in the store that has its blobs."""
        self.home(local=record["local"]).put_result(key, record)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield an empty folder of the shared store, see Store.scratch."""
        with self._shared.scratch() as folder:
            yield folder

    def sweep(self) -> None:
        """Remove leftovers of killed users of the stores."""
        for store in self.all:
            store.sweep()
