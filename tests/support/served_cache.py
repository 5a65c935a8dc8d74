"""A server of each protocol of the remote cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cache_server
import reapi_server


@contextmanager
def served(protocol: str) -> Iterator[str]:
    """Serve an empty cache over http or grpc; yield its address."""
    if protocol == "http":
        with cache_server.running() as state:
            yield state.base
    else:
        with reapi_server.running() as other:
            yield other.base
