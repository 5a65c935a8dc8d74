"""Files that a board names and a build reads: patches, fragments and device trees."""

from __future__ import annotations

import os
from collections.abc import Mapping

from quard.base.errors import QuardError
from quard.base.files import FileRef, observe
from quard.boards.trees import Trees


def reference(trees: Trees, name: str, file: str, where: str, *, runs: bool = False) -> FileRef:
    """Return a board's file with the hash of its content.

    name  -- in the build
    file  -- its name, see quard.boards.trees
    where -- the place of the key that names it
    runs  -- a build may run it, so its mode counts
    Raises QuardError bad-board for one that cannot be read.
    """
    try:
        return observe(trees.path(file), name, runs=runs)
    except OSError as error:
        raise unreadable(trees, file, error, where) from error


def called(text: str, places: Mapping[str, str]) -> str:
    """Return a text about a build in which the board's files have their own names.

    places -- name of a file in the build -> that of the board's file which it is
    Paths of files in the build stay as they are.
    """
    import re  # noqa: PLC0415 - for an error only

    words = "|".join(re.escape(name) for name in sorted(places, key=len, reverse=True))
    if not words:
        return text
    whole = re.compile(rf"(?<![\w/.:+-])(?:{words})(?![\w/.+-])")
    return whole.sub(lambda match: places[match.group()], text)


def unreadable(trees: Trees, file: str, error: OSError, where: str) -> QuardError:
    """Return the error for a file that a board names; of a missing one, with a name like it.

    where -- the place of the key that names it; "": no key does
    """
    path = trees.path(file)
    hint = "replace it with a file that this user can read, or remove it"
    hint += " from the board's file" if where else ""
    if isinstance(error, FileNotFoundError) and not os.path.islink(path):
        from quard.base.names import meant  # noqa: PLC0415 - for a wrong name only

        there = sorted(os.listdir(path.parent)) if path.parent.is_dir() else []
        hint = meant(path.name, there, hint)
    return QuardError(
        f"{where}: {file} cannot be read" if where else f"{file} cannot be read",
        detail=error.strerror or str(error),
        reason="bad-board",
        hint=hint,
    )
