"""Waiting for servers without delaying the end of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import wait
from typing import TypeVar

from quard.base.threads import Threads
from quard.sources.attempt import Stopped

_T = TypeVar("_T")
_POLL, _GRACE = 0.1, 1.0
"""Seconds between looks whether the user stops the run, and for the end of the work then."""


def attended(stopped: threading.Event, work: Callable[[], _T]) -> _T:
    """Return what the work returns, or raise what it raises; Stopped if the user stops the run.

    Work that ends by itself when `stopped` is set has a moment to do so.
    """
    with Threads(1, "download") as beside:
        doing = beside.submit(work)
        while not wait((doing,), _POLL).done:
            # What arrives ends by itself; a silent server is waited for as long as limits say.
            if stopped.is_set() and not wait((doing,), _GRACE).done:
                raise Stopped
        return doing.result()
