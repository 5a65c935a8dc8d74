"""An HTTP cache on 127.0.0.1 that keeps its files in memory, and fails as a test tells it to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class CacheServer:
    """What the server has and what it was asked.

    files   -- path -> content
    fault   -- called with method and path before each answer; it may return a status and headers
               that are the answer, or wait
    connections -- number of connections that clients have made
    cut     -- bytes of each body after which the connection is closed
    endless -- whether bodies never end
    date    -- what the server's clock says, for the header Date; "" for the right time
    """

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    fault: Callable[[str, str], tuple[int, dict[str, str]] | None] = lambda _method, _path: None
    connections: int = 0
    cut: int | None = None
    endless: bool = False
    date: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str, prefix: str = "/") -> int:
        return sum(1 for m, path in self.asked if m == method and path.startswith(prefix))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: CacheServer

    def setup(self) -> None:
        with self.server_state.lock:
            self.server_state.connections += 1
        super().setup()

    def _begin(self) -> bool:
        """Note the request; return whether it was answered with a fault."""
        state = self.server_state
        with state.lock:
            state.asked.append((self.command, self.path))
            state.headers.append({k.lower(): v for k, v in self.headers.items()})
        found = state.fault(self.command, self.path)
        if found is None:
            return False
        status, headers = found
        if self.command == "PUT":
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer(status, headers=headers)
        return True

    def _answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        if not self._begin():
            body = self.server_state.files.get(self.path)
            self._answer(404 if body is None else 200, body or b"")

    def do_GET(self) -> None:
        if self._begin():
            return
        state, body = self.server_state, self.server_state.files.get(self.path)
        if body is None:
            self._answer(404)
        elif state.endless:
            self._send_without_end()
        elif state.cut is not None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.cut])
            self.close_connection = True
        else:
            self._answer(200, body)

    def _send_without_end(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(bytes(1 << 16))
        except OSError:
            return

    def do_PUT(self) -> None:
        if not self._begin():
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with self.server_state.lock:
                self.server_state.files[self.path] = body
            self._answer(201)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server_state.date or super().date_time_string(timestamp)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(address: str = "127.0.0.1", protocol: str = "HTTP/1.1") -> Iterator[CacheServer]:
    state, is_new = CacheServer(), ":" in address
    names = {"server_state": state, "protocol_version": protocol}
    handler = type("Handler", (_Handler,), names)
    family = socket.AF_INET6 if is_new else socket.AF_INET
    server = type("Server", (ThreadingHTTPServer,), {"address_family": family})
    httpd = server((address, 0), handler)
    httpd.daemon_threads = True
    shown = f"[{address}]" if is_new else address
    state.base = f"http://{shown}:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def first(
    times: int, status: int, method: str = "", **headers: str
) -> Callable[[str, str], tuple[int, dict[str, str]] | None]:
    """Return a fault: the first requests get a status."""
    left = [times]

    def fault(asked: str, _path: str) -> tuple[int, dict[str, str]] | None:
        if method in ("", asked) and left[0]:
            left[0] -= 1
            return status, headers
        return None

    return fault


def slow(seconds: float) -> Callable[[str, str], None]:
    """Return a fault: each answer takes a time."""

    def fault(_method: str, _path: str) -> None:
        time.sleep(seconds)

    return fault
