"""Installing a file beside the recipe whose placeholders are replaced."""

from __future__ import annotations

from collections.abc import Mapping

from quard.base.errors import QuardError
from quard.base.filling import names
from quard.base.names import near
from quard.base.placeholders import LATE


def values(shown: str, text: str, known: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the placeholders in a file with their values, sorted.

    shown -- the file's name in messages
    known -- all values. Folders of the build have none: no installed file may name one
    Raises QuardError unknown-placeholder with the line of each one that is not known.
    """
    found = names(text.encode())
    lines = [f"{shown}:{line}: {_fault(name, known)}" for line, name in found if name not in known]
    if lines:
        raise QuardError(
            f"{shown} has placeholders without a value",
            detail="\n".join([*lines, "known: " + ", ".join(sorted(known))]),
            reason="unknown-placeholder",
            hint="correct the names; {{NAME}} stands for the text {NAME}",
        )
    return tuple(sorted({(name, known[name]) for _, name in found}))


def _fault(name: str, known: Mapping[str, str]) -> str:
    if name in LATE:
        return f"{{{name}}} is a folder of the build, which no installed file may name"
    return f"unknown placeholder {{{name}}}{near(name, known)}"
