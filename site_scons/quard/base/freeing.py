"""Removing large files while something else is done.

The blocks of a file are freed when it has neither a name nor an open descriptor. For an image of
some megabytes that takes as long as writing it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def freed_beside(paths: Iterable[Path]) -> Iterator[None]:
    """Have the blocks of files that the block removes or replaces freed by a thread.

    Their names are gone when the block has removed them, so a killed run leaves nothing. Python
    waits for the thread before it ends. A file that does not exist is not an error.
    """
    handles = []
    for path in paths:
        with suppress(OSError):  # then its blocks are freed at once
            handles.append(os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW))
    try:
        yield
    finally:
        if handles:
            threading.Thread(target=_close, args=(handles,), name="freeing").start()


def _close(handles: Iterable[int]) -> None:
    for handle in handles:
        os.close(handle)
