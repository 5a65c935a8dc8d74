"""Names of packages, boards and keys: their form, and suggestions for misspelled ones."""

from __future__ import annotations

import re
from collections.abc import Iterable

from quard.base.errors import QuardError

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*\Z")
_ALIKE = 0.6
"""The least similarity of two names, as difflib measures it."""


def nearest(
    name: str, known: Iterable[str], *, alike: float = _ALIKE, count: int = 1
) -> tuple[str, ...]:
    """Return at most `count` of the known names that resemble `name`, the most similar first.

    Case is ignored: `board` counts as equal to `BOARD`.
    """
    import difflib  # noqa: PLC0415 - a build without a wrong name does not need it

    folded: dict[str, list[str]] = {}
    for other in known:
        folded.setdefault(other.casefold(), []).append(other)
    near = difflib.get_close_matches(name.casefold(), folded, n=count, cutoff=alike)
    return tuple(other for key in near for other in folded[key])[:count]


def meant(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the hint for a name that does not exist: the nearest known one, or `otherwise`."""
    near = nearest(name, known)
    return f"did you mean {near[0]!r}?" if near else otherwise


def near(name: str, known: Iterable[str]) -> str:
    """Return the end of a text about a name that does not exist: "; did you mean ...?" or none."""
    found = nearest(name, known)
    return f"; did you mean {found[0]!r}?" if found else ""


def unknown(kind: str, name: str, known: Iterable[str], otherwise: str) -> QuardError:
    """Return the error `unknown-KIND` for a name that does not exist; it lists the known ones."""
    known = tuple(known)
    return QuardError(
        f"unknown {kind} {name!r}",
        detail="known: " + (", ".join(known) or "none"),
        reason=f"unknown-{kind}",
        hint=meant(name, known, otherwise),
    )
