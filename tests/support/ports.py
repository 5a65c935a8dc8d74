"""Ports of this machine that no other program gets while a test uses them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held() -> Iterator[int]:
    """Yield a port of 127.0.0.1, which refuses connections until a server listens there.

    Only a server of the same user that sets SO_REUSEPORT can, see socket(7).
    """
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
