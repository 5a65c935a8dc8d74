"""The address of a server of the Remote Execution API."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from quard.base.record import Record, record


@record
class Address(Record):
    """Where a server is.

    target   -- host and port
    instance -- of the server's services; "" is the usual one
    secure   -- whether TLS is used
    """

    target: str
    instance: str
    secure: bool

    @classmethod
    def of(cls, text: str) -> Address:
        """Return the parts of grpc://HOST:PORT/INSTANCE or grpcs://HOST:PORT/INSTANCE."""
        parts = urlsplit(text)
        secure = parts.scheme == "grpcs"
        port = parts.port or (443 if secure else 80)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return cls(f"{host}:{port}", unquote(parts.path.strip("/")), secure)
