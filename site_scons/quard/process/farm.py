"""Compile hosts, as distcc reaches them from a sealed build: over sockets that the build sees."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from quard.boards.launching import CompileHost
from quard.process.sockets import Socket

_CONNECT = 3.0
_SILENT = 20
"""Seconds: to connect, and until a host that is gone is noticed."""
_PART = 1 << 16


class Farm:
    """The compile hosts of a run; several threads may use them at once.

    tell -- called with a line of text for the user
    """

    def __init__(self, hosts: Sequence[CompileHost], tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._missed: set[CompileHost] = set()
        self._sockets = [Socket(partial(self._answer, host)) for host in hosts]

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folder of each host's socket, in their order."""
        return tuple(each.folder for each in self._sockets)

    def close(self) -> None:
        """Close the sockets."""
        for each in self._sockets:
            each.close()

    def _answer(self, host: CompileHost, build: socket.socket) -> None:
        """Connect a compiler with its host; without the host, it works here."""
        try:
            there = socket.create_connection((host.name, host.port), _CONNECT)
        except OSError as error:
            self._miss(host, error)
            return
        with there:
            there.settimeout(None)
            _notice_loss(there)
            sending = threading.Thread(target=_copy, args=(build, there), daemon=True)
            sending.start()
            _copy(there, build)
            # The compiler may still send what nobody reads any more.
            with contextlib.suppress(OSError):
                build.shutdown(socket.SHUT_RDWR)
            sending.join()

    def _miss(self, host: CompileHost, error: OSError) -> None:
        with self._lock:
            first = host not in self._missed
            self._missed.add(host)
        if first:
            why = error.strerror or str(error)
            self._tell(f"the compile host {host} does not answer; this machine compiles: {why}")


def _notice_loss(connection: socket.socket) -> None:
    """Let the kernel end a connection whose other end is gone without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_KEEPIDLE, _SILENT // 2),
        (socket.TCP_KEEPINTVL, _SILENT // 4),
        (socket.TCP_KEEPCNT, 2),
        (socket.TCP_USER_TIMEOUT, _SILENT * 1000),
    ):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until the end of one side, which the other side is told."""
    with contextlib.suppress(OSError):
        while part := source.recv(_PART):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
