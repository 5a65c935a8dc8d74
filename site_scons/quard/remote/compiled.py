"""Compiled files that machines share: an HTTP server, as ccache reaches it from a sealed build.

A sealed build has no network. ccache speaks the protocol of Redis (RESP) over a socket that the
build sees, and this side sends GET and PUT to the server. What the server does not give is a miss,
and ccache checks what it gets.
"""

from __future__ import annotations

import contextlib
import io
import re
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from quard.base.threads import Threads
from quard.process.sockets import Socket
from quard.remote.credentials import Credentials
from quard.remote.link import Limits, Link, Stopped, Unusable
from quard.remote.server import Server

LIMITS = Limits(connect=2, silence=5, slack=5, attempts=2, pause=0.2, longest=1)
"""A compiler waits: what takes longer is compiled."""
_AT_ONCE = 8
_KEY = re.compile(rb"ccache:([0-9a-z]{20,80})")
_MOST = 64 << 20
"""Bytes of an entry."""
_WORDS, _WORD, _DIGITS = 3, 100, 20
"""Of a request, of each of them but an entry, and of a number."""
_NONE, _OK = b"$-1\r\n", b"+OK\r\n"


class _Malformed(Exception):
    """Not a request of ccache."""


class CompiledFiles:
    """The compiled files on a server; several threads may use it at once.

    address -- without a slash at the end, with a user and password if it needs them
    tell    -- called with a line of text for the user
    """

    def __init__(self, address: str, tell: Callable[[str], None], limits: Limits = LIMITS) -> None:
        host = urlsplit(address).netloc.rpartition("@")[2]
        self._link = Link(f"the storage of compiled files at {host}", tell, limits)
        self._server = Server(address, Credentials(), self._link)
        self._threads = Threads(_AT_ONCE, "compiled files")
        self._lock = threading.Lock()
        self._sockets: dict[str, Socket] = {}

    def folder(self, package: str) -> Path:
        """Return the folder of the socket over which the build of a package gets its files.

        What is there belongs to this package: a build cannot reach those of another one.
        """
        with self._lock:
            if package not in self._sockets:
                self._sockets[package] = Socket(partial(self._answer, package))
            return self._sockets[package].folder

    def stop(self) -> None:
        """End all requests soon."""
        self._link.stop()

    def close(self) -> None:
        """Close the sockets."""
        self._link.stop()
        with self._lock:
            for each in self._sockets.values():
                each.close()
            self._sockets.clear()

    def _answer(self, package: str, connection: socket.socket) -> None:
        # A build may close the connection at any time, or send anything.
        with contextlib.suppress(OSError, _Malformed), connection.makefile("rwb") as stream:
            while words := _request(stream):
                stream.write(self._reply(package, words))
                stream.flush()

    def _reply(self, package: str, words: list[bytes]) -> bytes:
        command, *arguments = words
        key = _KEY.fullmatch(arguments[0]) if arguments else None
        if key is None or (command, len(arguments)) not in ((b"GET", 1), (b"SET", 2)):
            return b"-ERR unknown request\r\n"
        name = key[1].decode()
        path = f"{package}/{name[:2]}/{name[2:]}"
        try:
            # In threads that stay: each has a connection to the server, and ccache is short-lived.
            if command == b"GET":
                return self._threads.submit(self._get, path).result()
            self._threads.submit(self._put, path, arguments[1]).result()
        except (Unusable, Stopped):
            return _NONE if command == b"GET" else _OK
        return _OK

    def _get(self, path: str) -> bytes:
        file = io.BytesIO()
        if not self._server.get(path, file, _MOST) or file.tell() > _MOST:
            return _NONE
        return b"$%d\r\n%b\r\n" % (file.tell(), file.getvalue())

    def _put(self, path: str, data: bytes) -> None:
        if not self._link.read_only:
            self._server.put(path, io.BytesIO(data))


def _request(stream: io.BufferedIOBase) -> list[bytes]:
    """Return the words of a request; none at the end. Raises _Malformed, OSError."""
    line = stream.readline(_DIGITS)
    count = _number(line, b"*", _WORDS) if line else 0
    return [_word(stream, _WORD if number < _WORDS - 1 else _MOST) for number in range(count)]


def _word(stream: io.BufferedIOBase, most: int) -> bytes:
    size = _number(stream.readline(_DIGITS), b"$", most)
    word = stream.read(size + 2)
    if word[size:] != b"\r\n":
        raise _Malformed
    return word[:size]


def _number(line: bytes, sign: bytes, most: int) -> int:
    digits = line.removeprefix(sign).removesuffix(b"\r\n")
    if len(line) != len(digits) + 3 or not digits.isdigit() or int(digits) > most:
        raise _Malformed
    return int(digits)
