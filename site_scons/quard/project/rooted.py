"""Naming a board's root and its files in errors and warnings about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


@contextmanager
def naming_files(places: Mapping[str, str]) -> Iterator[None]:
    """Name the board's files as people know them in the errors that are raised inside.

    places -- name of a file in the build -> that of the board's file which it is
    """
    try:
        yield
    except QuardError as error:
        from quard.boards.files import called  # noqa: PLC0415 - for an error only

        error.reword(called(error.message, places))
        error.detail = called(error.detail, places)
        raise
