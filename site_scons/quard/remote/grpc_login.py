"""What a gRPC server gets to know about its user, and which servers are trusted."""

from __future__ import annotations

import base64
from urllib.parse import unquote, urlsplit

import grpc
from requests.utils import get_netrc_auth

from quard.remote.credentials import Credentials
from quard.sources import trust
from quard.sources.attempt import Failed


def metadata(address: str, credentials: Credentials) -> tuple[tuple[str, str], ...]:
    """Return what each call has besides its request: the token, or a user and a password.

    These come from the address, else from ~/.netrc. Raises Failed.
    """
    value = credentials.bearer()
    if not value and (login := _login(address)):
        value = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    return (("authorization", value),) if value else ()


def _login(address: str) -> tuple[str, str] | None:
    parts = urlsplit(address)
    if parts.username:
        return unquote(parts.username), unquote(parts.password or "")
    found: tuple[str, str] | None = get_netrc_auth(address)
    return found


def channel_credentials(address: str, credentials: Credentials) -> grpc.ChannelCredentials:
    """Return the trusted authorities and the client's certificate. Raises Failed."""
    try:
        authorities = trust.certificates(address)
        path = credentials.certificate
        own = trust.own_certificate(path) if path else None
    except trust.Unusable as fault:
        raise Failed(f"TLS: {fault}") from None
    return grpc.ssl_channel_credentials(authorities, own, own)
