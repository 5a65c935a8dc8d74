"""Naming a board's root in errors and warnings about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quard.base.errors import QuardError
from quard.boards.native import NAME as BUILD
from quard.ledger.results import LostResult


def of_root(folder: str, text: str) -> str:
    """Return a text about a root; that about the board's own root, whose folder is "", as it is."""
    if folder == BUILD:
        return f"for the build machine: {text}"
    return f"root {folder}: {text}" if folder else text


@contextmanager
def naming(folder: str) -> Iterator[None]:
    """Name a root in the errors that are raised inside.

    A lost result is that of an input, which may belong to another root.
    """
    try:
        yield
    except LostResult:
        raise
    except QuardError as error:
        error.reword(of_root(folder, error.message))
        raise
