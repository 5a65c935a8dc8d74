"""A remote cache on an HTTP server: /ac/KEY and /cas/SHA256."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from quard.base.threads import Threads
from quard.remote.credentials import Credentials
from quard.remote.link import Link
from quard.remote.server import Server
from quard.remote.transport import MOST_RECORD

_AT_ONCE = 8
"""Requests at a time for one question."""


class HttpCache:
    """See quard.remote.transport.Transport."""

    def __init__(self, address: str, credentials: Credentials, link: Link) -> None:
        self.link = link
        self._server = Server(address, credentials, link)
        self._askers = Threads(_AT_ONCE, "asking")

    def entry(self, key: str) -> bytes | None:
        out = io.BytesIO()
        return out.getvalue() if self._server.get(f"ac/{key}", out, MOST_RECORD) else None

    def put_entry(self, key: str, data: bytes) -> bool:
        return self._server.put(f"ac/{key}", io.BytesIO(data))

    def missing(self, sizes: Mapping[str, int]) -> frozenset[str]:
        sizes_there = self._askers.map(self._size, sizes)
        there = dict(zip(sizes, sizes_there, strict=True))
        return frozenset(sha for sha, size in sizes.items() if there[sha] not in (size, -1))

    def _size(self, sha256: str) -> int | None:
        return self._server.size(f"cas/{sha256}")

    def get(self, sha256: str, size: int, out: IO[bytes]) -> bool:
        return self._server.get(f"cas/{sha256}", out, size)

    def put(self, blobs: Mapping[str, Path]) -> bool:
        for sha256, path in sorted(blobs.items()):
            with path.open("rb") as file:
                if not self._server.put(f"cas/{sha256}", file):
                    return False
        return True

    def close(self) -> None:
        self.link.stop()
        self._askers.shutdown()
