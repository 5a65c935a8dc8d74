"""What a remote cache asks its server, whatever its protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Protocol

from quard.remote.link import Link

MOST_RECORD = 64 << 20
"""Bytes of an entry: an interface lists every symbol and header of a package."""


class Transport(Protocol):
    """A server of a remote cache; several threads may use it at once.

    All methods but `close` raise Unusable and Stopped. Blobs are given as SHA-256 -> size in bytes.
    """

    link: Link
    """Says whether the server is used."""

    def entry(self, key: str) -> bytes | None:
        """Return the ActionResult under a key; None if there is none."""

    def put_entry(self, key: str, data: bytes) -> bool:
        """Send an ActionResult; return False if the server takes none from here."""

    def missing(self, sizes: Mapping[str, int]) -> frozenset[str]:
        """Return those of the blobs that the server does not have."""

    def get(self, sha256: str, size: int, out: IO[bytes]) -> bool:
        """Write a blob to a file; return False if the server does not have it.

        What it sends is not checked, but no more than one byte above `size` is written.
        """

    def put(self, blobs: Mapping[str, Path]) -> bool:
        """Send blobs, SHA-256 -> file; return False if the server takes none from here.

        Raises OSError.
        """

    def close(self) -> None:
        """End all requests, and the use of the server."""
