"""The error for a recipe whose text cannot be used."""

from __future__ import annotations

from quard.base.errors import QuardError


def unusable(where: str, line: int, what: str, reason: str, hint: str = "") -> QuardError:
    """Return the error for one line.

    where -- the file's name in messages
    """
    return QuardError(
        f"{where} cannot be used",
        detail=f"line {line}: {what}",
        reason=reason,
        hint=hint or "docs/adding-a-package.md lists every field",
    )
