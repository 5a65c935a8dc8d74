"""Trusted certificates for checking servers: the system's, as for other programs.

The list that requests ships never has a company's own authority. The places that OpenSSL uses,
which SSL_CERT_FILE and SSL_CERT_DIR may name, are used instead. REQUESTS_CA_BUNDLE takes precedence
over them, as in all programs that use requests. The list that requests ships is used only on a
machine without any certificates.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any, NoReturn

import certifi
import requests
from requests.adapters import HTTPAdapter

_KNOWN = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Usual places of the system's list: a Python with its own OpenSSL looks elsewhere."""
_UNKNOWN_ISSUER = frozenset((2, 18, 19, 20, 21))
"""X509_verify_cert_error_string(3): the chain ends in an untrusted certificate."""
ADVICE = (
    "if a company's own authority signed it, install that authority's certificate"
    " (update-ca-certificates), or set SSL_CERT_FILE=FILE"
)
_UNTIMELY = ("certificate has expired", "certificate is not yet valid")
"""What OpenSSL and BoringSSL say if only the time is wrong."""
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Unusable(Exception):
    """A certificate file does not exist or holds no certificates."""


def mount(session: requests.Session, address: str) -> None:
    """Make a session trust the certificates that the system trusts. Raises Unusable."""
    session.mount("https://", _Adapter(_context(_bundle(session, address))))


def certificates(address: str) -> bytes:
    """Return what `mount` trusts, in PEM, for a library with its own TLS. Raises Unusable."""
    with requests.Session() as session:
        bundle = _bundle(session, address)
    sources = [Path(name) for name in ([bundle] if bundle else _system() or [certifi.where()])]
    found: dict[bytes, None] = {}
    for source in sources:
        for path in sorted(source.glob("*.0")) if source.is_dir() else [source]:
            found |= dict.fromkeys(_PEM.findall(_content(path)))
    if not found:
        raise Unusable(f"{sources[0]} contains no usable certificates")
    return b"\n".join(found)


def own_certificate(path: Path) -> bytes:
    """Return a client's certificate and its private key, in PEM. Raises Unusable."""

    def refuse() -> NoReturn:  # without it, OpenSSL asks at the terminal
        raise Unusable(f"{path} has a key with a passphrase, which builds cannot ask for")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path, password=refuse)
    except OSError as fault:  # includes ssl.SSLError
        raise Unusable(f"{path} has no usable certificate and key: {_reason(fault)}") from None
    return _content(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Unusable(f"{path} cannot be read: {fault.strerror}") from None


def places(address: str) -> str:
    """Return the places of the trusted certificates, for users."""
    with requests.Session() as session:
        bundle = _bundle(session, address)
    if bundle:
        return f"REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE), {bundle}"
    return ", ".join(_system()) or certifi.where()


def unknown_issuer(fault: BaseException) -> bool:
    """Return whether a certificate was refused because its issuer is unknown."""
    refused = isinstance(fault, ssl.SSLCertVerificationError)
    return refused and getattr(fault, "verify_code", 0) in _UNKNOWN_ISSUER


def untimely(text: str) -> str:
    """Return a short explanation if a message says that a certificate's time is wrong; else ""."""
    found = next((each for each in _UNTIMELY if each in text), "")
    return found and f"{found}, by the clock of this machine"


class _Adapter(HTTPAdapter):
    """Connections, direct or through a proxy, that are checked by one context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **settings)

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **settings)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, verify, cert)
        # requests has set its list, or the bundle, which would be added to the context
        conn.ca_certs = conn.ca_cert_dir = None


def _bundle(session: requests.Session, address: str) -> str:
    """Return the bundle that requests finds in the environment; empty if there is none."""
    found = session.merge_environment_settings(address, {}, None, None, None)["verify"]
    return found if isinstance(found, str) else ""


def _context(bundle: str) -> ssl.SSLContext:
    """Return what checks servers: against a bundle, or, if that is "", against the system's list.

    That of requests is stricter with Python 3.13: it refuses an authority whose certificate lacks
    an extension, as many companies' own do.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if bundle:
        if not Path(bundle).exists():
            raise Unusable(
                f"REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names {bundle}, which does not exist"
            )
        _load(context, bundle)
        return context
    system = _system()
    if not system:
        context.load_verify_locations(cafile=certifi.where())
        return context
    context.set_default_verify_paths()
    for path in system:
        if Path(path).is_file():
            _load(context, path)
    return context


def _load(context: ssl.SSLContext, path: str) -> None:
    """Have a context trust what is in a file or a folder. Raises Unusable for a file of nothing."""
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError as fault:  # includes ssl.SSLError
        raise Unusable(f"{path} contains no usable certificates: {_reason(fault)}") from None


def _reason(fault: OSError) -> str:
    return getattr(fault, "reason", None) or fault.strerror or str(fault)


def _system() -> list[str]:
    """Return those of the system's list and folder of certificates that exist."""
    paths = ssl.get_default_verify_paths()
    files = (paths.cafile or "", *_KNOWN)
    found = [path for path in files if Path(path).is_file()][:1]
    if paths.capath and any(Path(paths.capath).glob("*.0")):
        found.append(paths.capath)
    return found
