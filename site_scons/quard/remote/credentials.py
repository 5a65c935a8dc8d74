"""What a server of a remote cache gets besides a user and a password."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from quard.base.record import Record, record
from quard.sources.attempt import Failed


@record
class Credentials(Record):
    """A user's credentials for one server.

    token       -- a bearer token (RFC 6750); "": none
    variable    -- of the environment, which has the token
    certificate -- file with a client's certificate and its private key, in PEM
    region      -- region of the bucket that requests are signed for; "": they are not signed
    """

    token: str = field(default="", repr=False)
    certificate: Path | None = None
    region: str = ""
    variable: str = "QUARDROOT_CACHE_TOKEN"

    def bearer(self) -> str:
        """Return the header's value that has the token; "" without one. Raises Failed."""
        if not (self.token.isascii() and self.token.isprintable()):
            raise Failed(f"{self.variable} is no token: it has other characters than ASCII")
        return f"Bearer {self.token}" if self.token else ""
