"""quard.remote.grpc_login: who a client is, and which servers it trusts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import reapi_server
from grpc_client import Client
from reapi_server import State

import company
from quard.remote.credentials import Credentials
from quard.remote.grpc_login import metadata
from quard.sources.attempt import Failed


@pytest.fixture
def state() -> Iterator[State]:
    with reapi_server.running() as found:
        yield found


def test_credentials_are_sent_with_each_call(
    state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login one password two\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    Client(state.base).channel.capabilities()
    Client(state.base.replace("//", "//user:a%20b@")).channel.capabilities()
    Client(state.base, token="secret").channel.capabilities()
    assert [metadata.get("authorization") for _, metadata in state.asked] == [
        "Basic b25lOnR3bw==", "Basic dXNlcjphIGI=", "Bearer secret"
    ]  # fmt: skip


def test_a_token_that_cannot_be_sent_is_an_outage(state: State) -> None:
    assert "QUARDROOT_CACHE_TOKEN" in Client(state.base, token="a\nb").lost()
    credentials = Credentials("a\nb", variable="QUARDROOT_REMOTE_TOKEN")
    with pytest.raises(Failed, match="QUARDROOT_REMOTE_TOKEN is no token"):
        metadata(state.base, credentials)
    assert "a\nb" not in repr(credentials) and r"a\nb" not in repr(credentials)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A company's own authority, which the machine trusts."""
    folder = company.found(tmp_path)
    company.trust(folder, monkeypatch)
    own = (folder / "server.pem").read_bytes() + (folder / "server.key").read_bytes()
    (folder / "client.pem").write_bytes(own)
    return folder


@pytest.fixture
def guarded(authority: Path) -> Iterator[State]:
    """A server that talks to the holders of a certificate."""
    pair = (authority / "server.key").read_bytes(), (authority / "server.pem").read_bytes()
    tls = grpc.ssl_server_credentials(
        [pair], (authority / "ca.pem").read_bytes(), require_client_auth=True
    )
    with reapi_server.running(tls) as found:
        yield found


def test_a_server_may_ask_for_a_certificate(guarded: State, authority: Path) -> None:
    client = Client(guarded.base, certificate=authority / "client.pem")
    assert client.channel.capabilities() == guarded.capabilities
    Client(guarded.base).lost()


def test_a_file_that_is_no_certificate_is_one_line(guarded: State, tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_text("nothing\n")
    line = Client(guarded.base, certificate=tmp_path / "other.pem").lost()
    assert "TLS" in line and "other.pem" in line


def test_a_server_with_an_unknown_authority_is_not_used(
    guarded: State, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    line = Client(guarded.base, certificate=authority / "client.pem").lost()
    assert "TLS: " in line and "trusted here: " in line and "\n" not in line


def test_an_expired_certificate_is_an_outage(authority: Path) -> None:
    company.expire(authority)
    pair = (authority / "server.key").read_bytes(), (authority / "server.pem").read_bytes()
    with reapi_server.running(grpc.ssl_server_credentials([pair])) as found:
        assert "expired" in Client(found.base).lost()


def test_a_server_without_tls_is_not_used_over_tls(state: State) -> None:
    Client(state.base.replace("grpc://", "grpcs://")).lost()
