"""The event loop of all gRPC calls, in one thread for the whole process.

gRPC's blocking calls start a thread for each stream, which Python refuses while it ends, and they
have no limit for silence in the middle of a stream.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")


class Loop:
    """An event loop in a daemon thread, which is started on first use."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may call `start`
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Begin some work, and return where its result will be. Raises RuntimeError at the end."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, name="grpc", daemon=True).start()
                self._loop = loop
            return self._loop


LOOP = Loop()
