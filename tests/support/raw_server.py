"""A server on 127.0.0.1 that sends bytes of any kind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def running(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection after the other; yield host and port.

    answer -- called with a connection when a request has arrived; the client may close it
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    connection.recv(4096)
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
