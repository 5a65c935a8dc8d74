"""Checking that a package installs what its recipe expects."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Collection, Iterator, Sequence

from quard.base.errors import QuardError
from quard.base.names import nearest
from quard.base.plain import one_line
from quard.parts.fold import folded

_NEAR = 3
"""How many other paths the error names for one that is missing."""


def missing(paths: Collection[str], patterns: Sequence[str]) -> Iterator[QuardError]:
    """Yield an error `expected-missing` if a wildcard matches nothing.

    paths -- of all installed files, after moving below usr
    """
    lines = []
    for pattern in patterns:
        wanted = folded(pattern)
        if not any(fnmatch.fnmatchcase(path, wanted) for path in paths):
            near = ", ".join(map(one_line, _near(wanted, paths)))
            lines.append(f"{pattern}; installed: {near}" if near else pattern)
    if lines:
        yield QuardError(
            "files that the recipe expects are not installed",
            detail="\n".join(lines),
            reason="expected-missing",
            hint="look in the log for why upstream's build left them out, such as a dependency that"
            " `needs` lacks; or correct the recipe's `expects`",
        )


def _near(wanted: str, paths: Collection[str]) -> Sequence[str]:
    """Return paths that may be meant: with the same name elsewhere, or else similar ones."""
    name = posixpath.basename(wanted)
    same = sorted(path for path in paths if fnmatch.fnmatchcase(posixpath.basename(path), name))
    return same[:_NEAR] or nearest(wanted, sorted(paths), count=_NEAR)
