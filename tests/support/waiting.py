"""Waiting for what other processes do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

_POLL = 0.02


def within(seconds: float, holds: Callable[[], object]) -> bool:
    """Wait until something holds; tell whether that came in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def is_served(host: str, port: int) -> bool:
    """Return whether a server takes connections."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
