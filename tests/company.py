"""A company's own authority, which no list of certificates holds, and a server it vouches for."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

_DATED = """\
[ca]
default_ca = own
[own]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def found(folder: Path) -> Path:
    """Make the authority's certificate ca.pem, also in the folder `hashed`, and the server's."""
    _openssl(
        folder,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=A Company"),
        *("-keyout", "ca.key", "-out", "ca.pem"),
    )
    _openssl(
        folder,
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server"),
        *("-keyout", "server.key", "-out", "server.csr"),
    )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    _vouch(folder, days=2)
    (folder / "hashed").mkdir()
    (folder / "hashed/ca.pem").write_bytes((folder / "ca.pem").read_bytes())
    _openssl(folder, "rehash", "hashed")
    return folder


def trust(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process, and what it starts, trust the authority."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))


def expire(folder: Path) -> None:
    """Make the server's certificate again, as one whose time is over."""
    _date(folder, "20200101000000Z", "20210101000000Z")


def begin_later(folder: Path) -> None:
    """Make the server's certificate again, as one whose time has not come."""
    _date(folder, "20900101000000Z", "20910101000000Z")


def _date(folder: Path, start: str, end: str) -> None:
    """Make the server's certificate again; openssl-x509(1) makes none that has expired."""
    (folder / "dated.cnf").write_text(_DATED)
    (folder / "index").touch()
    (folder / "serial").write_text("02\n")
    _openssl(
        folder,
        *("ca", "-batch", "-notext", "-config", "dated.cnf", "-in", "server.csr"),
        *("-cert", "ca.pem", "-keyfile", "ca.key", "-extfile", "names"),
        *("-startdate", start, "-enddate", end, "-out", "server.pem"),
    )


def _vouch(folder: Path, days: int) -> None:
    _openssl(
        folder,
        *("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-days", str(days), "-CAcreateserial", "-extfile", "names", "-out", "server.pem"),
    )


def client(folder: Path, name: str, subject: str) -> Path:
    """Return the file of a certificate and its key for a client, made by the authority."""
    _openssl(
        folder,
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject),
        *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
    )
    _openssl(
        folder,
        *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-days", "2", "-CAcreateserial", "-out", f"{name}.crt"),
    )
    path = folder / f"{name}.pem"
    path.write_bytes(b"".join((folder / f"{name}.{end}").read_bytes() for end in ("crt", "key")))
    return path


def server(folder: Path) -> ssl.SSLContext:
    """Return what a server on 127.0.0.1 shows its certificate with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(("openssl", *words), cwd=folder, check=True, capture_output=True)
