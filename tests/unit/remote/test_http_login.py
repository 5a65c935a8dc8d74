"""quard.remote.server: who a client is, and what it cannot say about itself."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import cache_server
import faulty_server
import pytest
from cache_server import CacheServer
from http_client import Client

import company
from quard.remote.link import Unusable


@pytest.fixture
def state() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


def test_a_token_is_sent_even_if_netrc_has_a_password(
    state: CacheServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login one password two\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    Client(state.base).server.size("cas/a")
    Client(state.base, token="secret").server.size("cas/a")
    assert [found["authorization"] for found in state.headers] == [
        "Basic b25lOnR3bw==", "Bearer secret"
    ]  # fmt: skip


@pytest.mark.parametrize("token", ["secret\n", "s\u00e9cret", "secret\u20ac"])
def test_a_token_that_cannot_be_sent_is_one_line_without_it(state: CacheServer, token: str) -> None:
    client = Client(state.base, token=token)
    with pytest.raises(Unusable):
        client.get("cas/a")
    assert len(client.said) == 1 and "QUARDROOT_CACHE_TOKEN is no token" in client.said[0]
    assert "cret" not in client.said[0] and state.asked == []


def test_a_password_that_http_cannot_send_is_one_line(state: CacheServer) -> None:
    client = Client(state.base.replace("//", "//user:secret%E2%82%AC@"))
    with pytest.raises(Unusable):
        client.get("cas/a")
    assert len(client.said) == 1 and "password that cannot be used" in client.said[0]
    assert "secret" not in client.said[0]


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A server that talks to the holders of a certificate; its address, and the certificate."""
    authority = company.found(tmp_path)
    context = company.server(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority / "ca.pem")
    company.trust(authority, monkeypatch)
    own = tmp_path / "client.pem"
    own.write_bytes(
        (authority / "server.pem").read_bytes() + (authority / "server.key").read_bytes()
    )
    with faulty_server.running(context) as script:
        script.serve("/cas/a", faulty_server.Reply(b"abc"))
        yield script.base, own


def test_a_server_may_ask_for_a_certificate(guarded: tuple[str, Path]) -> None:
    address, certificate = guarded
    assert Client(address, certificate=certificate).get("cas/a") == b"abc"
    without = Client(address)
    with pytest.raises(Unusable):
        without.get("cas/a")
    assert len(without.said) == 1


def test_a_file_that_is_no_certificate_is_one_line(
    guarded: tuple[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "other.pem").write_text("nothing\n")
    for name in ("other.pem", "none.pem"):
        client = Client(guarded[0], certificate=tmp_path / name)
        with pytest.raises(Unusable):
            client.get("cas/a")
        assert len(client.said) == 1 and "TLS" in client.said[0] and name in client.said[0]
