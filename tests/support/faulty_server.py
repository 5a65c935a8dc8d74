"""A real HTTP server on 127.0.0.1 that fails in the ways that mirrors do."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """How one request is answered.

    reason   -- words after the status, in place of the usual ones
    break_at -- bytes of the body after which the connection is closed
    ranges   -- whether Range is obeyed (with If-Range compared to the tag or the date)
    most     -- bytes that a range has at most, whatever was asked for
    shift    -- bytes by which the range that is sent differs from the one asked for
    chunked  -- whether the length is left open, so that only the framing shows the end
    endless  -- whether the body is sent again and again, with the length left open
    delay    -- seconds before the header
    others   -- requests wait there until others have come, too; then they are answered
    pause    -- seconds between pieces of 16 KiB
    date     -- what the server's clock says, for the header Date; "" for the right time
    """

    body: bytes = b""
    status: int = 200
    reason: str = ""
    etag: str = ""
    modified: str = ""
    break_at: int | None = None
    ranges: bool = True
    most: int | None = None
    shift: int = 0
    chunked: bool = False
    endless: bool = False
    delay: float = 0
    others: threading.Barrier | None = None
    pause: float = 0
    date: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Server:
    """`replies[path]` are used up in their order; the last one stays."""

    base: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, path: str, *replies: Reply) -> str:
        """Set the replies for a path and return its address."""
        self.replies[path] = list(replies)
        return self.base + path

    def next(self, path: str, headers: dict[str, str]) -> Reply:
        with self.lock:
            self.requests.append((path, headers))
            replies = self.replies.get(path, [Reply(status=404)])
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def ranges(self) -> list[str]:
        """Return the Range header of every request so far, empty where there was none."""
        return [headers.get("range", "") for _, headers in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Server
    _date: str = ""

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.script.next(self.path, headers)
        self._date = reply.date
        time.sleep(reply.delay)
        if reply.others:
            reply.others.wait()
        start = self._start(reply, headers)
        if start is None:
            self._head(
                Reply(status=416, headers=(("Content-Range", f"bytes */{len(reply.body)}"),))
            )
            return
        partial = reply.ranges and "range" in headers and start > 0
        status = 206 if partial and reply.status == 200 else reply.status
        body = reply.body[start:][: reply.most] if status == 206 else reply.body
        self.send_response(status, reply.reason or None)
        if status == 206:
            first = start + reply.shift
            whole = len(reply.body)
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{whole}")
        for name, value in (("ETag", reply.etag), ("Last-Modified", reply.modified)):
            if value:
                self.send_header(name, value)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.chunked or reply.endless:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._send(reply, body)

    def _start(self, reply: Reply, headers: dict[str, str]) -> int | None:
        wanted = headers.get("range", "")
        condition = headers.get("if-range", "")
        if not reply.ranges or not wanted or reply.status != 200:
            return 0
        if condition and condition not in (reply.etag, reply.modified):
            return 0
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        return start if start < len(reply.body) else None

    def _head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, reply: Reply, body: bytes) -> None:
        end = len(body) if reply.break_at is None else reply.break_at
        step = 16 << 10 if reply.pause else 1 << 20
        try:
            for at in itertools.chain.from_iterable(
                range(0, min(end, len(body)), step)
                for _ in (itertools.count() if reply.endless else (0,))
            ):
                piece = body[at : min(at + step, end)]
                if reply.chunked or reply.endless:
                    piece = b"%x\r\n%s\r\n" % (len(piece), piece)
                self.wfile.write(piece)
                time.sleep(reply.pause)
            if reply.break_at is not None:
                self.close_connection = True
            elif reply.chunked:
                self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self._date or super().date_time_string(timestamp)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve over HTTP, or over HTTPS with a context."""
    script = Server()
    handler = type("Handler", (_Handler,), {"script": script})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    httpd.daemon_threads = True
    if tls:
        httpd.socket = tls.wrap_socket(httpd.socket, server_side=True)
    script.base = f"{'https' if tls else 'http'}://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield script
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
