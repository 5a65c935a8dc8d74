"""The remote cache with a server whose clock is wrong, or whose time seems wrong here."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cache_server
import faulty_server
import grpc
import grpc_client
import http_client
import pytest
import raw_server
import reapi_server
from cache_machine import KEY, Machine
from cache_server import CacheServer, first

import company
from quard.remote.link import Unusable

WRONG = {
    "past": "Thu, 01 Jan 1970 00:00:10 GMT",
    "far": "Fri, 31 Dec 9999 23:59:59 GMT",
    "first": "Mon, 01 Jan 0001 00:00:00 GMT",
    "unzoned": "Fri, 31 Dec 9999 23:59:59 -0000",
    "year": "Fri, 27 Nov 99999999999999999999 00:00:00 GMT",
    "zone": "Fri, 27 Nov 2026 00:00:00 +99999999999999999999",
    "digits": "9" * 5000,
    "negative": "-3600",
}
LONG = 30
"""Seconds that none of these requests takes, and that each wait for such a moment would exceed."""


@pytest.fixture
def state() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


@pytest.mark.parametrize("name", WRONG)
def test_no_moment_of_a_server_is_waited_for(state: CacheServer, name: str) -> None:
    client = http_client.Client(state.base)
    state.files["/cas/a"] = b"abc"
    state.fault = first(1, 503, **{"Retry-After": WRONG[name]})
    started = time.monotonic()
    assert client.get("cas/a") == b"abc"
    assert time.monotonic() - started < LONG and client.said == []


@pytest.mark.parametrize("name", ["past", "far", "unzoned", "year", "negative"])
def test_a_server_of_another_time_is_read_and_written(
    state: CacheServer, tmp_path: Path, name: str
) -> None:
    state.date = WRONG[name]
    record = Machine(tmp_path / "one", state.base).send_one()
    other = Machine(tmp_path / "two", state.base)
    assert other.stores.record(KEY) == record
    assert other.stores.blob(record["blobs"]["libs"]) and other.said == []


def test_a_length_of_too_many_digits_is_no_length() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nabc")

    with raw_server.running(answer) as place:
        client = http_client.Client(f"http://{place}")
        assert client.server.size("cas/a") == -1
        assert client.get("cas/a") == b"abc"


@pytest.mark.parametrize("seconds", [-1e9, -0.5, 1e9])
def test_no_delay_of_a_grpc_server_is_waited_for(seconds: float) -> None:
    with reapi_server.running() as state:
        client = grpc_client.Client(state.base)
        state.fault = reapi_server.first(
            1, grpc.StatusCode.RESOURCE_EXHAUSTED, "GetCapabilities", wait=seconds
        )
        started = time.monotonic()
        client.channel.capabilities()
        assert time.monotonic() - started < LONG and client.said == []


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A company's own authority, which the machine trusts."""
    folder = company.found(tmp_path)
    company.trust(folder, monkeypatch)
    return folder


@pytest.mark.parametrize(
    ("change", "text"),
    [(company.expire, "has expired"), (company.begin_later, "is not yet valid")],
)
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_certificate_of_another_time_is_one_line(
    authority: Path, change: Callable[[Path], None], text: str, protocol: str
) -> None:
    change(authority)
    said = (_http if protocol == "http" else _grpc)(authority)
    assert said == [
        "the cache at HOST is not used any more in this run: TLS:"
        f" certificate {text}, by the clock of this machine"
    ]


def _http(authority: Path) -> list[str]:
    with faulty_server.running(company.server(authority)) as server:
        client = http_client.Client(server.base)
        with pytest.raises(Unusable):
            client.get("cas/a")
    return client.said


def _grpc(authority: Path) -> list[str]:
    pair = (authority / "server.key").read_bytes(), (authority / "server.pem").read_bytes()
    with reapi_server.running(grpc.ssl_server_credentials([pair])) as state:
        client = grpc_client.Client(state.base)
        client.lost()
    return client.said
