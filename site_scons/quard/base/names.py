"""Names of packages, boards and features: their form, and what is meant by one that is wrong."""

from __future__ import annotations

import difflib
import re

from quard.base.errors import QuardError

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*\Z")


def unknown(kind: str, name: str, known: tuple[str, ...], otherwise: str) -> QuardError:
    """Return the error for a name that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return QuardError(
        f"unknown {kind} {name!r}",
        detail="known: " + (", ".join(known) or "none"),
        reason=f"unknown-{kind}",
        hint=f"did you mean {near[0]!r}?" if near else otherwise,
    )
