"""quard.remote.server: what a server may do, and when it is given up."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cache_server
import ports
import pytest
import raw_server
from cache_server import CacheServer, first, slow
from http_client import FAST, Client

from quard.remote.credentials import Credentials
from quard.remote.link import Link, Stopped, Unusable
from quard.remote.server import Server


@pytest.fixture
def state() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


@pytest.fixture
def client(state: CacheServer) -> Client:
    return Client(state.base)


def test_what_is_there_is_read_and_what_is_not_is_none(state: CacheServer, client: Client) -> None:
    state.files["/cas/a"] = b"abc"
    assert client.get("cas/a") == b"abc"
    assert client.get("cas/b") is None
    assert (client.server.size("cas/a"), client.server.size("cas/b")) == (3, None)
    assert client.said == []


def test_a_file_is_sent(state: CacheServer, client: Client, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert client.put("cas/x", tmp_path / "x")
    assert state.files["/cas/x"] == b"abc"


def test_an_answer_that_may_pass_is_asked_for_again(state: CacheServer, client: Client) -> None:
    state.files["/cas/a"] = b"abc"
    state.fault = first(2, 503, **{"Retry-After": "0"})
    assert client.get("cas/a") == b"abc"
    assert client.said == []


def test_a_server_that_asks_for_an_hour_is_not_waited_for(
    state: CacheServer, client: Client
) -> None:
    state.files["/cas/a"] = b"abc"
    state.fault = first(1, 429, **{"Retry-After": "3600"})
    started = time.monotonic()
    assert client.get("cas/a") == b"abc"
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("status", [400, 401, 403, 410, 500, 502, 503])
def test_a_server_that_does_not_serve_is_given_up_with_one_line(
    state: CacheServer, client: Client, status: int
) -> None:
    state.fault = lambda _method, _path: (status, {})
    for _ in range(3):
        with pytest.raises(Unusable):
            client.get("cas/a")
    asked = len(state.asked)
    assert not client.link.usable
    assert len(client.said) == 1 and f"HTTP {status}" in client.said[0]
    assert "HOST" in client.said[0]
    with pytest.raises(Unusable):
        client.server.size("cas/a")
    assert len(state.asked) == asked, "it is not asked any more"


def test_redirects_without_end_are_an_outage(state: CacheServer, client: Client) -> None:
    state.fault = lambda _method, path: (302, {"Location": path})
    with pytest.raises(Unusable):
        client.get("cas/a")
    assert len(client.said) == 1
    assert len(state.asked) < 30


def test_a_body_without_end_is_left_when_it_is_too_long(state: CacheServer, client: Client) -> None:
    state.files["/cas/a"], state.endless = b"a", True
    assert client.get("cas/a", most=1000) == bytes(1001)


def test_a_body_that_ends_early_is_an_outage_at_the_third_time(
    state: CacheServer, client: Client
) -> None:
    state.files["/cas/a"], state.cut = bytes(1000), 10
    with pytest.raises(Unusable):
        client.get("cas/a")
    assert state.count("GET") == 3 and "closed early" in client.said[0]


def test_silence_is_an_outage(state: CacheServer, client: Client) -> None:
    state.fault = slow(2)
    with pytest.raises(Unusable):
        client.get("cas/a")
    assert "no answer within 0.5 s" in client.said[0]


def test_bytes_that_trickle_are_an_outage() -> None:
    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(12):
            connection.sendall(b"x")
            time.sleep(0.1)

    with raw_server.running(trickle) as place:
        client = Client(f"http://{place}")
        with pytest.raises(Unusable):
            client.get("cas/a")
        assert "too slow" in client.said[0]


def test_a_port_without_a_server_is_an_outage() -> None:
    with ports.held() as port:
        client = Client(f"http://127.0.0.1:{port}")
        with pytest.raises(Unusable):
            client.get("cas/a")
    assert "connection refused" in client.said[0]


@pytest.mark.parametrize("status", [401, 403, 405, 413, 500, 507])
def test_a_server_that_takes_nothing_is_still_read(
    state: CacheServer, client: Client, tmp_path: Path, status: int
) -> None:
    state.files["/cas/a"] = b"abc"
    state.fault = lambda method, _path: (status, {}) if method == "PUT" else None
    (tmp_path / "x").write_bytes(b"abc")
    assert not client.put("cas/x", tmp_path / "x")
    assert f"HTTP {status}" in client.link.read_only
    assert client.get("cas/a") == b"abc"


@pytest.mark.parametrize("place", ["http://a..b/", "http://[::1", "http://a:99999/", "ftp://a/"])
def test_a_redirect_to_no_address_is_an_outage(
    state: CacheServer, client: Client, place: str
) -> None:
    state.fault = first(1, 302, Location=place)
    with pytest.raises(Unusable):
        client.get("cas/a")
    assert len(client.said) == 1


def test_a_stopped_run_asks_nothing_more(state: CacheServer, client: Client) -> None:
    client.link.stop()
    with pytest.raises(Stopped):
        client.get("cas/a")
    assert state.asked == []


def test_an_empty_file_is_sent_with_its_length(
    state: CacheServer, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "x").touch()
    assert client.put("cas/x", tmp_path / "x")
    assert state.files["/cas/x"] == b""
    assert state.headers[0]["content-length"] == "0"
    assert "transfer-encoding" not in state.headers[0]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_lose_the_file_is_not_followed(
    state: CacheServer, client: Client, tmp_path: Path, status: int
) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    state.fault = first(1, status, Location=f"{state.base}/cas/y")
    assert not client.put("cas/x", tmp_path / "x")
    assert state.files == {}
    assert f"HTTP {status}" in client.link.read_only
    assert client.link.read_only.endswith(f" to {state.base}/cas/y")


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_file_is_followed(
    state: CacheServer, client: Client, tmp_path: Path, status: int
) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    state.fault = first(1, status, Location=f"{state.base}/cas/y")
    assert client.put("cas/x", tmp_path / "x")
    assert state.files == {"/cas/y": b"abc"}


def test_all_requests_of_a_thread_use_one_connection(
    state: CacheServer, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    for _ in range(2):
        assert client.server.size("cas/x") is None or client.get("cas/x")
        assert client.get("cas/none") is None
        assert client.put("cas/x", tmp_path / "x")
    assert state.connections == 1


def test_a_file_that_is_read_too_slowly_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(16 << 20))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def read_slowly(connection: socket.socket) -> None:
            with connection, contextlib.suppress(ConnectionError):
                while connection.recv(64 << 10):
                    time.sleep(0.02)

        def serve() -> None:
            for _ in range(FAST.attempts):
                arguments = listening.accept()[:1]
                threading.Thread(target=read_slowly, args=arguments, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        said: list[str] = []
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        link = Link("the cache at HOST", said.append, replace(FAST, silence=5))
        server = Server(base, Credentials(), link)
        with (tmp_path / "x").open("rb") as file, pytest.raises(Unusable):
            server.put("cas/x", file)
        assert "too slow" in said[0]
