"""Threads for requests, which neither delay nor outlive the end of a run.

Python waits at its end for all threads of a ThreadPoolExecutor, before the exit handlers that end a
run, and starts no thread after that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads(Executor):
    """Does work in up to `most` daemon threads; while Python ends, in the thread that asks."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], None]]] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                found = fn(*args, **kwargs)
            except BaseException as error:  # it is raised where the result is asked for
                future.set_exception(error)
            else:
                future.set_result(found)

        if threading.main_thread().is_alive():
            self._start_one()
            self._work.put((future, work))
        else:
            work()
        return future

    def _start_one(self) -> None:
        with self._lock:
            if self._started == self._most:
                return
            self._started += 1
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._work.get()[1]()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel the work that has not begun."""
        del wait, cancel_futures
        with suppress(Empty):
            while True:
                self._work.get_nowait()[0].cancel()
