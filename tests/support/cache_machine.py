"""A machine with its own stores and a remote cache, as a run uses it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.remote.credentials import Credentials
from quard.remote.remote import RemoteCache
from quard.remote.signatures import Signatures
from quard.store import blob
from quard.store.local import Store
from quard.store.stores import EMPTY, Stores

KEY = canonical.digest("a key")
LIBS, LOG = b"the libraries" * 1000, b"the log"


class Machine:
    """One machine with its own stores."""

    def __init__(
        self,
        folder: Path,
        address: str,
        *,
        push: bool = True,
        trusted: Path | None = None,
        key: Path | None = None,
        certificate: Path | None = None,
    ) -> None:
        self.said: list[str] = []
        self.shared = Store(folder / "shared", self.said.append)
        signatures = Signatures(trusted, key, os.environ["PATH"], "")
        self.remote = RemoteCache(
            address,
            Credentials("", certificate),
            self.shared,
            signatures,
            self.said.append,
            push=push,
        )
        self.stores = Stores(Store(folder / "local"), self.shared, self.remote)

    def add(self, content: bytes) -> str:
        with self.shared.scratch() as folder:
            (folder / "x").write_bytes(content)
            return self.shared.add(folder / "x")

    def build(
        self, libs: bytes = LIBS, log: bytes = LOG, *, local: bool = False, worker: str = ""
    ) -> dict[str, Any]:
        """Keep a result as a build does, here or by a worker."""
        blobs = {"libs": self.add(libs), "log": self.add(log), "programs": EMPTY}
        with self.shared.scratch() as folder:
            blob.pack(folder, (), folder / "empty")
            self.shared.add(folder / "empty")
        record = {
            "name": "thing",
            "plan": "a" * 64,
            "local": local,
            "blobs": blobs,
            "interface": {},
            **({"worker": worker} if worker else {}),
        }
        if not local:
            self.stores.keep(KEY, record)
        else:
            self.stores.share(KEY, record)
        return record

    def send_one(self) -> dict[str, Any]:
        """Build and send a result; return its record."""
        record = self.build()
        assert self.remote.finish().startswith("sent 1 results")
        return record
