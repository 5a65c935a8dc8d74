"""quard.sources.trust: servers whose certificate only this machine's own settings vouch for."""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
from faulty_server import Reply, Server, running

import company
from quard.base.errors import QuardError
from quard.face.progress import Lines
from quard.plan.source import Request, Variant
from quard.sources import trust
from quard.sources.attempt import Limits
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations

BODY = hashlib.shake_128(b"body").digest(20_000)
QUICK = Limits(connect=2, read=2, attempts=1, pause=0.01, longest=0.05)
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return company.found(tmp_path_factory.mktemp("company"))


@pytest.fixture
def server(authority: Path) -> Iterator[Server]:
    with running(company.server(authority)) as script:
        yield script


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *PROXIES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_key_with_a_passphrase_is_refused_without_asking(authority: Path, tmp_path: Path) -> None:
    """Without a terminal, OpenSSL would read the passphrase from standard input."""
    key, own = tmp_path / "key", tmp_path / "own.pem"
    words = ("openssl", "rsa", "-aes256", "-in", authority / "server.key", "-out", key)
    subprocess.run((*words, "-passout", "pass:secret"), check=True, capture_output=True)
    own.write_bytes((authority / "server.pem").read_bytes() + key.read_bytes())
    with pytest.raises(trust.Unusable, match=r"own\.pem has a key with a passphrase"):
        trust.own_certificate(own)


def fetch(tmp_path: Path, server: Server) -> bytes:
    address = server.serve("/demo-1.tar", Reply(BODY))
    wanted = Variant("demo-1.tar", hashlib.sha256(BODY).hexdigest(), (address,))
    log = (tmp_path / "log").open("w")
    with log:
        fetcher = Fetcher(tmp_path / "cache", Locations(), Lines(log), limits=QUICK)
        return fetcher.fetch(Request("demo", (wanted,))).path.read_bytes()


def refused(tmp_path: Path, server: Server) -> QuardError:
    with pytest.raises(QuardError) as caught:
        fetch(tmp_path, server)
    assert caught.value.reason == "no-source"
    return caught.value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "ca.pem"),
        ("SSL_CERT_DIR", "hashed"),
        ("REQUESTS_CA_BUNDLE", "ca.pem"),
        ("REQUESTS_CA_BUNDLE", "hashed"),
        ("CURL_CA_BUNDLE", "ca.pem"),
    ],
)
def test_an_authority_that_a_variable_names_is_trusted(
    tmp_path: Path,
    server: Server,
    authority: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, str(authority / value))
    assert fetch(tmp_path, server) == BODY


def verify_paths(**changes: Any) -> ssl.DefaultVerifyPaths:
    """Return ssl's own, changed. A place that does not exist is None, though its type is str."""
    return ssl.get_default_verify_paths()._replace(**changes)


def test_an_authority_in_the_system_s_list_is_trusted(
    tmp_path: Path, server: Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "_KNOWN", (str(authority / "ca.pem"),))
    default = verify_paths(cafile=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: default)
    assert fetch(tmp_path, server) == BODY


def test_an_unknown_authority_is_an_error_that_names_the_places_and_the_setting(
    tmp_path: Path, server: Server
) -> None:
    error = refused(tmp_path, server)
    assert "TLS: unable to get local issuer certificate" in error.detail
    assert f"    trusted here: {trust.places(server.base)}" in error.block()
    assert trust.places(server.base).startswith("/")
    assert "SSL_CERT_FILE=FILE" in error.hint
    assert "update-ca-certificates" in error.hint


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_that_is_not_there_is_named(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/nowhere/ca.pem")
    detail = refused(tmp_path, server).detail
    assert "REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names /nowhere/ca.pem" in detail


def test_a_file_of_certificates_that_is_not_there_is_not_among_the_places(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    detail = refused(tmp_path, server).detail
    assert "trusted here: /etc/" in detail
    assert "/nowhere" not in detail


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_file_without_certificates_is_named(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate\n")
    monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    detail = refused(tmp_path, server).detail
    assert f"TLS: {tmp_path}/ca.pem contains no usable certificates" in detail


def test_a_bundle_takes_the_place_of_the_system_s(
    tmp_path: Path, server: Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    assert (
        f"REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE), {certifi.where()}"
        in refused(tmp_path, server).detail
    )


def test_a_wrong_host_name_does_not_advise_to_trust_more(
    tmp_path: Path, server: Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    server.base = server.base.replace("127.0.0.1", "localhost")
    error = refused(tmp_path, server)
    assert "localhost" in error.detail.partition("TLS: ")[2]
    assert "SSL_CERT_FILE" not in error.hint


def test_a_machine_without_certificates_takes_the_list_that_requests_brings(
    tmp_path: Path, server: Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = verify_paths(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: there)
    monkeypatch.setattr(trust, "_KNOWN", ())
    assert trust.places(server.base) == certifi.where()
    monkeypatch.setattr(certifi, "where", lambda: str(authority / "ca.pem"))
    assert fetch(tmp_path, server) == BODY


def test_a_proxy_s_connections_are_checked_alike(
    tmp_path: Path, server: Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tunnel() as (address, asked):
        monkeypatch.setenv("HTTPS_PROXY", address)
        refused(tmp_path, server)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
        assert fetch(tmp_path, server) == BODY
    assert [line.split()[0] for line in asked] == ["CONNECT", "CONNECT"]


@contextlib.contextmanager
def tunnel() -> Iterator[tuple[str, list[str]]]:
    """Run a proxy on 127.0.0.1; yield its address, and the first line of each request."""
    asked: list[str] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:  # it was closed
                return
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            asked.append(head.decode().splitlines()[0])
            host, _, port = head.split()[1].decode().partition(":")
            with client, socket.create_connection((host, int(port))) as there:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                pass_on(client, there)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def pass_on(one: socket.socket, two: socket.socket) -> None:
    """Pass bytes both ways until one side ends."""
    other = {one: two, two: one}
    with contextlib.suppress(ConnectionError):
        while True:
            for ready in select.select(tuple(other), (), ())[0]:
                data = ready.recv(1 << 16)
                if not data:
                    return
                other[ready].sendall(data)
