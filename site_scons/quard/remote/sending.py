"""Sending results to a remote cache, beside the build.

Blobs are sent before the record that names them. A record that is there already stays, as long as
all of its blobs are there, too: two builds of one key must not take turns. Lost blobs are sent
again, and another record if that one names others: logs differ, and servers remove what nobody
reads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from typing import Any

from quard.base.errors import QuardError
from quard.base.threads import Threads
from quard.remote import action
from quard.remote.cache import CacheReader
from quard.remote.link import Stopped, Unusable
from quard.remote.signatures import Signatures
from quard.remote.transport import Transport
from quard.store.local import Store
from quard.store.record import encode_record
from quard.store.stores import EMPTY

_AT_ONCE = 4
"""Results that are sent at a time."""
_LONGEST = 120.0
"""Seconds that the end of a run waits for what is still being sent."""


class Sending:
    """The results that one run sends; several threads may use it at once.

    store -- that has the blobs
    signatures -- signs the records
    tell  -- called with a line of text for the user
    """

    def __init__(
        self,
        transport: Transport,
        cache: CacheReader,
        store: Store,
        signatures: Signatures,
        tell: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._link = transport.link
        self._cache = cache
        self._signatures = signatures
        self._store = store
        self._tell = tell
        self._senders = Threads(_AT_ONCE, "sending")
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._waiting: list[Future[None]] = []
        self._sent = self._bytes = self._stopped = 0
        self._given_up = False

    def send(self, key: str, record: Mapping[str, Any]) -> None:
        """Send a result in the background, once in a run."""
        with self._lock:
            if key in self._asked or self._given_up or self._link.read_only:
                return
            self._asked.add(key)
            self._waiting.append(self._senders.submit(self._try, key, record))

    def _try(self, key: str, record: Mapping[str, Any]) -> None:
        try:
            self._send(key, record)
        except Unusable:
            pass  # that has been reported
        except Stopped:
            with self._lock:
                self._stopped += 1
        except QuardError as error:
            self._give_up(error)
        except FileNotFoundError:
            self._tell(f"{record['name']} is not sent to the cache: a blob has just been removed")
        except OSError as error:
            self._tell(f"{record['name']} is not sent to the cache: {error.strerror or error}")
        except Exception as error:  # a fault of ours, which nobody would see in this thread
            self._tell(f"{record['name']} is not sent to the cache: {error!r}")

    def _give_up(self, error: QuardError) -> None:
        """Report that results cannot be sent any more in this run."""
        with self._lock:
            first, self._given_up = not self._given_up, True
        if first:
            self._tell(f"nothing more is sent to the cache: {error.message}: {error.detail}")

    def _send(self, key: str, record: Mapping[str, Any]) -> None:
        sizes = {sha256: self._store.path(sha256).stat().st_size for sha256 in _files(record)}
        found = self._cache.entry(key)
        theirs = {sha256: found[1][sha256] for sha256 in _files(found[0])} if found else {}
        missing = self._cache.missing({**theirs, **sizes})
        if found:
            lost = missing & theirs.keys()
            self._compare(key, found[0], record, gone=not lost <= sizes.keys())
            if not lost:
                return
        if ours := missing & sizes.keys():
            if not self._put_blobs(ours, sizes):
                return
            # Another machine may have sent its record meanwhile. Few servers can be asked to
            # refuse the second one, so what stays open is the time of one request.
            found = found or self._cache.entry(key)
            if found and not theirs and self._compare(key, found[0], record, gone=False):
                return
        # With these blobs, a record that is there may be whole again.
        if (found and missing <= sizes.keys()) or self._put_record(key, record, sizes):
            with self._lock:
                self._sent += 1

    def _compare(
        self, key: str, theirs: Mapping[str, Any], ours: Mapping[str, Any], *, gone: bool
    ) -> bool:
        """Report a record with other files, and return whether it is one; logs always differ.

        gone -- files of theirs are gone, so that it is replaced
        """
        one, other = (
            {part: sha for part, sha in record["blobs"].items() if part != "log"}
            for record in (theirs, ours)
        )
        if one == other:
            return False
        then = "which is replaced, as files of it are gone" if gone else "which stays there"
        self._tell(
            f"{self._link.name} has another result of {ours['name']} under the same key,"
            f" {then}: its build is not reproducible ({key})"
        )
        return True

    def _put_blobs(self, digests: Iterable[str], sizes: Mapping[str, int]) -> bool:
        """Send blobs; return False if the server takes none from here."""
        if not self._transport.put({sha256: self._store.path(sha256) for sha256 in digests}):
            return False
        with self._lock:
            self._bytes += sum(sizes[sha256] for sha256 in digests)
        return True

    def _put_record(self, key: str, record: Mapping[str, Any], sizes: Mapping[str, int]) -> bool:
        blobs = {part: sha256 for part, sha256 in record["blobs"].items() if sha256 in sizes}
        raw = encode_record(key, record)
        # A signature says that its owner has built it.
        signature = b"" if record.get("worker") else self._signatures.sign(raw)
        entry = action.encode(raw, blobs, sizes, signature)
        return self._transport.put_entry(key, entry)

    def finish(self) -> str:
        """Wait for what is being sent, within a bound; return a line about all that was sent.

        "" if there is nothing to say.
        """
        left = self._wait()
        if self._link.read_only and not self._sent:
            return f"{self._link.name} takes no results: {self._link.read_only}"
        if not (self._sent or left):
            return ""
        text = f"sent {self._sent} results to {self._link.name}"
        text += f" ({self._bytes / (1 << 20):.1f} MiB)"
        return f"{text}; {left} more were given up" if left else text

    def _wait(self) -> int:
        """Return the number of results that were not sent in time, or before an interrupt."""
        late = wait(self._waiting, timeout=_LONGEST).not_done
        left = len(late) + self._stopped
        if late:
            self._transport.close()
        self._senders.shutdown()
        return left


def _files(record: Mapping[str, Any]) -> frozenset[str]:
    """Return the digests of a record's blobs, but the empty one, which no server needs."""
    return frozenset(record["blobs"].values()) - {EMPTY}
