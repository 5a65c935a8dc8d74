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
_Work = SimpleQueue[tuple[Future[Any], Callable[[], None]] | None]
"""What is to be done by some threads; None ends one of them."""


class Threads(Executor):
    """Does work in up to `most` daemon threads; while Python ends, in the thread that asks."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._work: _Work = SimpleQueue()
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
            with self._lock:
                self._start_one()
                self._work.put((future, work))
        else:
            work()
        return future

    def _start_one(self) -> None:
        if self._started < self._most:
            threading.Thread(
                target=self._run, args=(self._work,), name=self._name, daemon=True
            ).start()
            self._started += 1

    @staticmethod
    def _run(work: _Work) -> None:
        while item := work.get():
            item[1]()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel the work that has not begun; threads end when they have done theirs.

        Later work is done in new threads.
        """
        del wait, cancel_futures
        with self._lock:
            old, started = self._work, self._started
            # Later threads must not take an end that is meant for one of these.
            self._work, self._started = SimpleQueue(), 0
        with suppress(Empty):
            while item := old.get_nowait():
                item[0].cancel()
        for _ in range(started):
            old.put(None)
