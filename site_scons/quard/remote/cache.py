"""The results at one address that machines share: read when something needs them, sent beside the
build.

A hit brings a record and asks whether its blobs are there. They are fetched when something uses
them; each is checked against its hash. Only results of sealed builds from scratch are sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import wait
from contextlib import suppress
from typing import Any

from quard.base.files import file_sha256
from quard.base.threads import Threads
from quard.remote import action
from quard.remote.away import Away
from quard.remote.link import Stopped, Unusable
from quard.remote.signatures import Signatures
from quard.remote.transport import Transport
from quard.store import taken
from quard.store.local import Store
from quard.store.record import decode_record
from quard.store.stores import EMPTY

_AT_ONCE = 8
"""Blobs that are fetched at a time."""
_ENDING = 2.0
"""Seconds in which fetches may end after an error; a server that is silent would take longer."""


class CacheReader:
    """Reads a remote cache; several threads may use it at once.

    transport -- its server
    away  -- what its server was seen to have
    store -- that blobs are fetched into
    signatures -- says which records are accepted
    tell  -- called with a line of text for the user
    """

    def __init__(
        self,
        transport: Transport,
        away: Away,
        store: Store,
        signatures: Signatures,
        tell: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._link = transport.link
        self._store = store
        self._tell = tell
        self._away = away
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}
        self._ignored: set[str] = set()
        self._hits: set[str] = set()
        self._damaged: set[str] = set()
        self._signatures = signatures
        self._unsigned = False
        self._fetchers = Threads(_AT_ONCE, "fetching")

    def gave(self, key: str) -> bool:
        """Return whether the record of a result came from here in this run."""
        return key in self._hits

    def lose(self, key: str, sha256: str) -> bool:
        """Note that a blob of a result is lost; return whether the result may be taken from here.

        It may not if it came from here in this run. The server has a blob that only this machine
        has lost; if not, it says so when the result is asked for.
        """
        if key in self._hits:
            self._ignored.add(key)
            self._hits.discard(key)  # what is built instead may be sent
        self._away.forget(sha256)
        return key not in self._ignored and self._link.usable

    def record(self, key: str) -> dict[str, Any] | None:
        """Return the record of a result if the server has it and all of its blobs."""
        if key in self._ignored or not self._link.usable:
            return None
        try:
            found = self.entry(key)
            if found is None:
                return None
            record, sizes = found
            wanted = self._store.missing(record["blobs"].values()) - {EMPTY}
            if self.missing({sha256: sizes[sha256] for sha256 in wanted}):
                return None
            for sha256 in wanted:
                self._away.note(sha256, sizes[sha256])
            taken.note(self._store.root, key, record["blobs"].values())
        except (Unusable, Stopped):
            return None
        except OSError as fault:  # without a note, nobody would know what to fetch
            with suppress(Unusable):
                self._link.give_up(f"what it has cannot be noted here: {fault}")
            return None
        self._hits.add(key)
        return record

    def entry(self, key: str) -> tuple[dict[str, Any], Mapping[str, int]] | None:
        """Return the server's record under a key, and the sizes of its blobs.

        None if there is none, or if it is damaged, which is reported. Raises Unusable, Stopped.
        """
        data = self._transport.entry(key)
        if data is None:
            return None
        try:
            raw, sizes, signature = action.decode(data)
            record = decode_record(key, raw)
        except ValueError:
            record = None
        if record is None or not sizes.keys() >= {*record["blobs"].values()} - {EMPTY}:
            self._tell(f"{self._link.name} has a damaged record, which is ignored: {key}")
            self._ignored.add(key)
            return None
        if not self._signatures.accepts(raw, signature):
            self._refuse(record)
            return None
        return record, sizes

    def _refuse(self, record: Mapping[str, Any]) -> None:
        """Report the first record without a trusted signature."""
        with self._lock:
            first, self._unsigned = not self._unsigned, True
        if first:
            self._tell(
                f"{self._link.name} has results without a signature that cache.trust"
                f" accepts; they are not used ({record.get('name')} is the first)"
            )

    def missing(self, sizes: Mapping[str, int]) -> frozenset[str]:
        """Return those of the blobs that the server does not have, as far as is known.

        sizes -- SHA-256 -> size in bytes
        Raises Unusable, Stopped.
        """
        damaged = frozenset(self._damaged & sizes.keys())
        asked = {sha256: size for sha256, size in sizes.items() if sha256 not in damaged}
        return damaged | self._transport.missing(asked) if asked else damaged

    def fetch(self, sha256: str) -> bool:
        """Put a blob into the store; return False if the server does not have it intact."""
        with self._lock:
            mine = self._fetching.setdefault(sha256, threading.Lock())
        with mine:
            if self._store.has(sha256):
                return True
            size = self._away.size(sha256)
            if size is None or not self._link.usable:
                return False
            try:
                return self._fetch(sha256, size)
            except (Unusable, Stopped):
                return False

    def _fetch(self, sha256: str, size: int) -> bool:
        with self._store.scratch() as folder:
            place = folder / "blob"
            with place.open("w+b") as out:
                there = self._transport.get(sha256, size, out)
            if there and place.stat().st_size == size and file_sha256(place) == sha256:
                self._store.add(place)
                return True
        if there:
            self._damaged.add(sha256)
            self._tell(f"{self._link.name} has other bytes than those of blob {sha256}")
        self._away.forget(sha256)
        return False

    def fetch_all(self, digests: Iterable[str]) -> None:
        """Fetch several blobs at a time; those that cannot be fetched stay missing.

        After an error, those that have begun are waited for a while: they leave no unfinished file.
        """
        if not self._link.usable:
            return
        begun = [self._fetchers.submit(self.fetch, sha256) for sha256 in sorted(digests)]
        try:
            for each in begun:
                each.result()
        except BaseException:
            wait([each for each in begun if not each.cancel()], _ENDING)
            raise

    def close(self) -> None:
        """End the threads that fetch."""
        self._fetchers.shutdown()
