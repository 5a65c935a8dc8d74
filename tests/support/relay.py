"""A network between a client and a server on 127.0.0.1, which may be gone for a while.

While it is gone, nothing arrives: no answer, no refusal and no end of a connection. When it is
there again, what was on its way arrives, as TCP sends again what was lost.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

_CHUNK = 16 << 10
_POLL = 0.02
_QUEUE = 100
"""Connections that may wait to be forwarded."""
_STUFFING = 3
"""Connections that fill a queue for one, so that the kernel drops all others."""

Direction = Literal["up", "down"]
"""To the server, to the client."""


class Relay:
    """Forwards connections from its own port to a server's.

    port        -- where clients connect to
    connections -- the number of connections that were forwarded
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=_QUEUE)
        self._listening.settimeout(_POLL)
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0
        self._changing = threading.Condition()
        self._here = True
        self._left: dict[Direction, int] = {}
        self._stuffing: list[socket.socket] = []
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_gone(self) -> bool:
        """Whether the network is gone."""
        return not self._here

    def cut(self) -> None:
        """Let the network be gone from now on."""
        with self._changing:
            self._cut()

    def cut_after(self, size: int, direction: Direction) -> None:
        """Let the network be gone after so many further bytes in one direction."""
        with self._changing:
            self._left[direction] = size

    def restore(self) -> None:
        """Let the network be there again."""
        with self._changing:
            for each in self._stuffing:
                each.close()
            self._stuffing.clear()
            self._left.clear()
            self._listening.listen(_QUEUE)
            self._here = True
            self._changing.notify_all()

    def close(self) -> None:
        """End all connections."""
        with self._changing:
            self._closed = True
            self._changing.notify_all()
            for each in (*self._stuffing, self._listening):
                each.close()

    def _cut(self) -> None:
        self._here = False
        self._listening.listen(0)
        for _ in range(_STUFFING):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self._stuffing.append(one)

    def _wait(self) -> None:
        """Wait until the network is there. Raises _Closed."""
        with self._changing:
            self._changing.wait_for(lambda: self._here or self._closed)
            if self._closed:
                raise _Closed

    def _accept(self) -> None:
        with suppress(_Closed, OSError):
            while True:
                self._wait()
                try:
                    client, _ = self._listening.accept()
                except TimeoutError:
                    continue
                with suppress(OSError):
                    server = socket.create_connection(("127.0.0.1", self._target))
                    self.connections += 1
                    self._forward(client, server)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        ways: list[tuple[socket.socket, socket.socket, Direction]]
        ways = [(client, server, "up"), (server, client, "down")]
        for way in ways:
            way[0].settimeout(_POLL)
            threading.Thread(target=self._pump, args=way, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, direction: Direction) -> None:
        try:
            while True:
                self._wait()
                try:
                    data = source.recv(_CHUNK)
                except TimeoutError:
                    continue
                if not data:
                    break
                self._pass(data, sink, direction)
            self._wait()
            sink.shutdown(socket.SHUT_WR)
        except (OSError, _Closed):
            for each in (source, sink):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _pass(self, data: bytes, sink: socket.socket, direction: Direction) -> None:
        """Send some bytes, as many as the network takes before it is gone, and then the others."""
        while data:
            self._wait()
            with self._changing:
                most = self._left.get(direction, len(data))
                if direction in self._left:
                    self._left[direction] -= min(most, len(data))
                    if not self._left[direction]:
                        del self._left[direction]
                        self._cut()
            now, data = data[:most], data[most:]
            _send_all(sink, now)


def _send_all(sink: socket.socket, data: bytes) -> None:
    """Send bytes to a socket with a time limit for reading, however long it takes."""
    while data:
        with suppress(TimeoutError):
            data = data[sink.send(data) :]


class _Closed(Exception):
    """The relay ends."""


@contextmanager
def running(target: int) -> Iterator[Relay]:
    """Forward to a port on 127.0.0.1."""
    relay = Relay(target)
    try:
        yield relay
    finally:
        relay.close()
