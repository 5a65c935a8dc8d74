"""A server of a remote cache behind a network that goes away at a certain moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cache_server
import reapi_server
import relay
from relay import Direction, Relay

ENTRY, ASKED, READ, SENT = "entry", "asked", "read", "sent"
"""A question for a record, one for blobs, and the bytes of blobs."""
REQUESTS = {
    ENTRY: ("GET /ac/", "GetActionResult"),
    ASKED: ("HEAD /cas/", "FindMissingBlobs"),
    READ: ("GET /cas/", "BatchReadBlobs", "Read"),
    SENT: ("PUT /cas/", "BatchUpdateBlobs", "Write"),
}


@dataclass
class Place:
    """A server behind a network.

    before -- called with each request, as in REQUESTS, before it is answered
    asked  -- returns the keys that were asked for, or the paths
    """

    base: str
    network: Relay
    before: Callable[[str], None] = lambda _request: None
    asked: Callable[[], Iterable[str]] = lambda: ()

    def cut_at(self, moment: str, more: int = 0, direction: Direction = "down") -> None:
        """Cut the network once when something is asked, or after some further bytes."""
        done = threading.Lock()

        def before(request: str) -> None:
            if request.startswith(REQUESTS[moment]) and done.acquire(blocking=False):
                if more:
                    self.network.cut_after(more, direction)
                else:
                    self.network.cut()

        self.before = before


@contextmanager
def _behind(base: str) -> Iterator[Place]:
    """Put a network before a server."""
    start, _, port = base.rpartition(":")
    with relay.running(int(port)) as network:
        yield Place(f"{start}:{network.port}", network)


@contextmanager
def served(protocol: str) -> Iterator[Place]:
    """Serve "http" or "grpc"."""
    if protocol == "http":
        with cache_server.running() as state, _behind(state.base) as found:
            state.fault = lambda method, path: found.before(f"{method} {path}")
            found.asked = lambda: [path for _, path in state.asked]
            yield found
    else:
        with reapi_server.running() as other, _behind(other.base) as found:
            other.fault = lambda method, _call: found.before(method)
            found.asked = lambda: other.keys
            yield found
