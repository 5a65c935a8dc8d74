"""Compiled files on a server, as a sealed build reaches it: real sockets, a real HTTP server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import cache_server
import pytest
from cache_server import CacheServer, first, slow

from quard.process.sockets import NAME
from quard.remote.compiled import LIMITS, CompiledFiles

KEY = b"ccache:0d60g871oi10ecbe7n0oo9jjddmpnuado"
PATH = "/c/thing/0d/60g871oi10ecbe7n0oo9jjddmpnuado"
VALUE = bytes(range(256)) * 40


@pytest.fixture
def state() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


def request(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


class Files(CompiledFiles):
    """The files of a run; `said` is what the user was told."""

    def __init__(self, address: str, silence: float = 5) -> None:
        self.said: list[str] = []
        super().__init__(address, self.said.append, replace(LIMITS, silence=silence, pause=0.01))


@pytest.fixture
def files(state: CacheServer) -> Iterator[Files]:
    made = Files(f"{state.base}/c")
    yield made
    made.close()


def send(files: Files, data: bytes, package: str = "thing") -> bytes:
    """Send bytes on a connection of its own; return all that comes back."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(files.folder(package) / NAME))
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


GET, SET = request(b"GET", KEY), request(b"SET", KEY, VALUE)
FOUND, MISSING, OK = b"$%d\r\n%b\r\n" % (len(VALUE), VALUE), b"$-1\r\n", b"+OK\r\n"


def test_what_one_machine_sends_another_one_gets(files: Files, state: CacheServer) -> None:
    assert send(files, GET + SET + GET) == MISSING + OK + FOUND
    assert state.files == {PATH: VALUE}
    other = Files(f"{state.base}/c")
    assert send(other, GET) == FOUND
    other.close()


def test_requests_share_connections_to_the_server(files: Files, state: CacheServer) -> None:
    for _ in range(30):
        assert send(files, GET) == MISSING
    assert state.connections <= 8


def test_a_package_reaches_its_own_files_only(files: Files, state: CacheServer) -> None:
    state.files["/c/other/0d/60g871oi10ecbe7n0oo9jjddmpnuado"] = VALUE
    assert send(files, GET) == MISSING
    assert files.folder("thing") != files.folder("other")
    for key in (b"ccache:../../../ac/0123456789012345678901234567", KEY + b"/../x", KEY.upper()):
        assert send(files, request(b"GET", key)) == b"-ERR unknown request\r\n"
    assert {path for _, path in state.asked} == {PATH}


@pytest.mark.parametrize(
    "data",
    [
        b"GET x\r\n",
        b"*9\r\n",
        b"*-1\r\n",
        b"*2\r\n$3\r\nGET\r\n$99999999999\r\n",
        b"*2\r\n$3\r\nGET\r\n$7\r\nshort",
        pytest.param(request(b"SET", KEY, b"x", b"x"), id="more words than a request has"),
        b"*" + b"1" * 1000,
        b"\0" * 100,
        b"*1\r\n$3\r\nGETxx",
    ],
)
def test_nonsense_ends_the_connection_and_nothing_else(
    files: Files, state: CacheServer, data: bytes
) -> None:
    assert send(files, data) == b""
    assert state.asked == []
    assert send(files, SET) == OK


@pytest.mark.parametrize("data", [b"*1\r\n$9999\r\n", b"*2\r\n$3\r\nGET\r\n$9999\r\n"])
def test_only_an_entry_may_be_long(files: Files, data: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(files.folder("thing") / NAME))
        connection.sendall(data)
        assert connection.recv(1) == b""


@pytest.mark.parametrize("words", [(b"FLUSHALL",), (b"GET",), (b"SET", KEY), (b"DEL", KEY)])
def test_other_commands_are_refused(
    files: Files, state: CacheServer, words: tuple[bytes, ...]
) -> None:
    assert send(files, request(*words) + SET) == b"-ERR unknown request\r\n" + OK
    assert len(state.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(first(1000, 500), id="errors"),
        pytest.param(first(1000, 503, retry_after="3600"), id="busy"),
        pytest.param(first(1000, 302, location="/c/loop"), id="redirects"),
        pytest.param(first(1000, 401), id="no access"),
        pytest.param(slow(1.5), id="silence"),
    ],
)
def test_an_outage_is_said_once_and_counts_as_misses(
    state: CacheServer, fault: Callable[[str, str], tuple[int, dict[str, str]] | None]
) -> None:
    files = Files(f"{state.base}/c", silence=0.5)
    state.fault = fault
    for _ in range(5):
        assert send(files, GET + SET) == MISSING + OK
    assert len(files.said) == 1
    assert files.said[0].startswith("the storage of compiled files at 127.0.0.1:")
    assert "is not used any more in this run" in files.said[0]
    asked = len(state.asked)
    assert send(files, GET) == MISSING
    assert len(state.asked) == asked
    files.close()


def test_a_server_that_is_not_there_is_said_once() -> None:
    files = Files("http://127.0.0.1:1/c")
    assert send(files, GET + SET) == MISSING + OK
    assert len(files.said) == 1
    files.close()


def test_a_server_that_takes_nothing_is_read(files: Files, state: CacheServer) -> None:
    state.files[PATH] = VALUE
    state.fault = first(1000, 403, "PUT")
    assert send(files, SET + SET + GET) == OK + OK + FOUND
    assert (state.count("PUT"), files.said) == (1, [])


def test_an_entry_without_end_is_a_miss(files: Files, state: CacheServer) -> None:
    state.files[PATH] = VALUE
    state.endless = True
    assert send(files, GET) == MISSING


def test_its_folder_goes_when_it_is_closed(files: Files) -> None:
    folder = files.folder("thing")
    assert sorted(path.name for path in folder.iterdir()) == [NAME]
    files.close()
    assert not folder.exists()
