"""The certificates that a server's own is checked against: the system's, as for other programs.

requests brings a list of its own, in which a company's authority never is. OpenSSL's places are
used instead, as SSL_CERT_FILE and SSL_CERT_DIR may name them; REQUESTS_CA_BUNDLE takes precedence
over them, as everywhere that requests is used. The list of requests is for a machine that has no
certificates at all.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter

_KNOWN = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their list: a Python with an OpenSSL of its own looks elsewhere."""
_UNKNOWN_ISSUER = frozenset((2, 18, 19, 20, 21))
"""X509_verify_cert_error_string(3): the chain ends in what is not trusted."""
ADVICE = (
    "where a company's authority has signed, install its certificate (update-ca-certificates),"
    " or name the file: SSL_CERT_FILE=FILE ./scons"
)


class Unusable(Exception):
    """A file of certificates is not there, or is none."""


def mount(session: requests.Session, address: str) -> None:
    """Have a session trust what the system trusts. Raises Unusable."""
    bundle = _bundle(session, address)
    if not bundle:
        session.mount("https://", _Adapter())
    elif not Path(bundle).exists():
        raise Unusable(f"REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names {bundle}, which is not there")


def places(address: str) -> str:
    """Return where the certificates that are trusted lie, for people."""
    with requests.Session() as session:
        bundle = _bundle(session, address)
    if bundle:
        return f"REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE), {bundle}"
    return ", ".join(_system()) or certifi.where()


def unknown_issuer(fault: BaseException) -> bool:
    """Return whether a certificate was refused for want of its issuer's."""
    refused = isinstance(fault, ssl.SSLCertVerificationError)
    return refused and getattr(fault, "verify_code", 0) in _UNKNOWN_ISSUER


class _Adapter(HTTPAdapter):
    """Connections, through a proxy or not, that are checked by one context."""

    def __init__(self) -> None:
        self._context = _context()
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **settings)

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **settings)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, verify, cert)
        if verify is True:  # it has set its own list, which would be added to the context
            conn.ca_certs = conn.ca_cert_dir = None


def _bundle(session: requests.Session, address: str) -> str:
    """Return the bundle that requests finds in the environment; empty where there is none."""
    found = session.merge_environment_settings(address, {}, None, None, None)["verify"]
    return found if isinstance(found, str) else ""


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    system = _system()
    if not system:
        context.load_verify_locations(cafile=certifi.where())
        return context
    context.set_default_verify_paths()
    for path in system:
        if Path(path).is_file():
            try:
                context.load_verify_locations(cafile=path)
            except OSError as fault:  # ssl.SSLError is one, too
                raise Unusable(f"{path} has no certificates to trust: {_reason(fault)}") from None
    return context


def _reason(fault: OSError) -> str:
    return getattr(fault, "reason", None) or fault.strerror or str(fault)


def _system() -> list[str]:
    """Return the system's list and folder of certificates, as far as they are there."""
    paths = ssl.get_default_verify_paths()
    files = (paths.cafile or "", *_KNOWN)
    found = [path for path in files if Path(path).is_file()][:1]
    if paths.capath and any(Path(paths.capath).glob("*.0")):
        found.append(paths.capath)
    return found
