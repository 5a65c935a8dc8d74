"""What a server of a remote cache gets besides a user and a password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    """A user's credentials for one server.

    token       -- a bearer token (RFC 6750); "": none
    certificate -- file with a client's certificate and its private key, in PEM
    region      -- region of the bucket that requests are signed for; "": they are not signed
    """

    token: str = ""
    certificate: Path | None = None
    region: str = ""
