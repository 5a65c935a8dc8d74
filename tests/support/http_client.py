"""A client of an HTTP cache, and what it tells its user."""

from __future__ import annotations

import io
from pathlib import Path

from quard.remote.credentials import Credentials
from quard.remote.link import Limits, Link
from quard.remote.server import Server

FAST = Limits(connect=0.5, silence=0.5, slack=0.5, rate=1 << 30, pause=0.01, longest=0.05)


class Client:
    def __init__(self, base: str, token: str = "", certificate: Path | None = None) -> None:
        self.said: list[str] = []
        credentials = Credentials(token, certificate)
        self.link = Link("the cache at HOST", self.said.append, FAST)
        self.server = Server(base, credentials, self.link)

    def get(self, path: str, most: int = 1 << 20) -> bytes | None:
        out = io.BytesIO()
        return out.getvalue() if self.server.get(path, out, most) else None

    def put(self, path: str, file: Path) -> bool:
        with file.open("rb") as opened:
            return self.server.put(path, opened)
