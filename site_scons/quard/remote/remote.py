"""The remote cache as a run uses it: reading at once, sending in the background.

Nothing of the network is loaded before something is asked for: a null build only looks at what is
known to be there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from quard.remote.away import Away
from quard.remote.credentials import Credentials
from quard.store.local import Store

if TYPE_CHECKING:
    from quard.remote.cache import CacheReader
    from quard.remote.sending import Sending
    from quard.remote.signatures import Signatures
    from quard.remote.transport import Transport


class _Used(NamedTuple):
    """The server, what asks it, and what sends to it; `sending` is None if nothing is sent."""

    transport: Transport
    reader: CacheReader
    sending: Sending | None


class RemoteCache:
    """The remote cache of one run; several threads may use it at once.

    address -- of the server, with a user and password if it needs them
    credentials -- what the server gets besides
    store   -- that blobs are fetched into and sent from
    signatures -- which records are accepted, and how own ones are signed
    tell    -- called with a line of text for the user
    push    -- whether results are sent
    """

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        store: Store,
        signatures: Signatures,
        tell: Callable[[str], None],
        *,
        push: bool,
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._store = store
        self._signatures = signatures
        self._tell = tell
        self._push = push
        self._away = Away(store.root, address)
        self._opening = threading.Lock()
        self._opened: _Used | None = None

    @property
    def host(self) -> str:
        """Its name for users, without credentials in the address."""
        parts = urlsplit(self._address)
        return parts.netloc.rpartition("@")[2]

    def _used(self) -> _Used:
        """Return what asks the server; it is made on first use."""
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> _Used:
        from quard.remote.cache import CacheReader  # noqa: PLC0415
        from quard.remote.sending import Sending  # noqa: PLC0415

        transport = self._connect()
        common = self._store, self._signatures, self._tell
        reader = CacheReader(transport, self._away, *common)
        sending = Sending(transport, reader, *common) if self._push else None
        return _Used(transport, reader, sending)

    def _connect(self) -> Transport:
        from quard.remote.link import Link  # noqa: PLC0415

        link = Link(f"the cache at {self.host}", self._tell)
        if urlsplit(self._address).scheme in ("grpc", "grpcs"):
            from quard.remote.grpc_cache import GrpcCache  # noqa: PLC0415

            return GrpcCache(self._address, self._credentials, link)
        from quard.remote.http_cache import HttpCache  # noqa: PLC0415

        return HttpCache(self._address, self._credentials, link)

    def gave(self, key: str) -> bool:
        """Return whether the record of a result came from there in this run."""
        return self._opened is not None and self._opened.reader.gave(key)

    def lose(self, key: str, sha256: str) -> bool:
        """Note that a blob of a result is lost; return whether the result may be taken from there.

        It may not if the result came from there in this run.
        """
        return self._used().reader.lose(key, sha256)

    def missing(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of the blobs that were not seen there. The server is not asked."""
        return self._away.missing(digests)

    def record(self, key: str) -> dict[str, Any] | None:
        """Return the record of a result if it is there with all of its blobs."""
        return self._used().reader.record(key)

    def fetch(self, sha256: str) -> bool:
        """Put a blob into the store; return False without an intact one."""
        return self._used().reader.fetch(sha256)

    def fetch_all(self, digests: Iterable[str]) -> None:
        """Fetch several blobs at a time; those that cannot be fetched stay missing."""
        wanted = self._store.missing(digests) - self._away.missing(digests)
        if wanted:
            self._used().reader.fetch_all(wanted)

    def send(self, key: str, record: Mapping[str, Any]) -> None:
        """Send a result in the background, unless it is there."""
        if self._push and (sending := self._used().sending):
            sending.send(key, record)

    def stop(self) -> None:
        """End all requests soon."""
        if self._opened:
            self._opened.transport.close()

    def finish(self) -> str:
        """End the use of the server; return a line about what was sent, "" if nothing was."""
        if self._opened is None:
            return ""
        said = self._opened.sending.finish() if self._opened.sending else ""
        self._opened.reader.close()
        self._opened.transport.close()
        return said
