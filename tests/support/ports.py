"""Ports of this machine that no other program gets while a test uses them."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""The first and the last port that the kernel chooses, see ip(7)."""
_LEAST, _MOST = 1024, 65535


@contextmanager
def held() -> Iterator[int]:
    """Yield a port of 127.0.0.1, which refuses connections until a server listens there.

    Only a server of the same user that sets SO_REUSEPORT can, see socket(7).
    """
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def reserved() -> Iterator[int]:
    """Yield a port of 127.0.0.1, for TCP and UDP, which a program may take that is told to.

    No other program gets it by chance: the kernel chooses others for programs that ask for any.
    The name of a socket keeps tests that run at the same time from getting the same one.
    """
    first, last = map(int, _RANGE.read_text().split())
    for port in itertools.chain(range(first - 1, _LEAST - 1, -1), range(last + 1, _MOST + 1)):
        with socket.socket(socket.AF_UNIX) as name:
            if _takes(name, f"\0quardroot-test-port-{port}") and _is_free(port):
                yield port
                return
    raise AssertionError("each port is one that the kernel chooses, or is taken")


def _is_free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        return _takes(tcp, ("127.0.0.1", port)) and _takes(udp, ("127.0.0.1", port))


def _takes(one: socket.socket, address: str | tuple[str, int]) -> bool:
    try:
        one.bind(address)
    except OSError:
        return False
    return True
