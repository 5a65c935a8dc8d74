"""Texts that a review reads as files: how what is there now differs from what is on file."""

from __future__ import annotations

import difflib
from pathlib import Path

GOLDEN = "pytest tests/golden --update-golden"
"""The command that accepts what the plans of now are."""


def difference(path: Path, text: str, *, now: str, command: str) -> str:
    """Return what is different; "" where nothing is.

    now     -- what the text is
    command -- accepts it
    """
    found = changes(path, text, f"tests/golden/{path.name}", now)
    return f"{found}\n{accept(command)}" if found else ""


def changes(path: Path, text: str, shown: str, now: str) -> str:
    """Return the lines that are different; "" where none are.

    shown -- the name of the file for people
    now   -- what the text is
    """
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    return "".join(
        difflib.unified_diff(
            old.splitlines(keepends=True), text.splitlines(keepends=True), shown, now
        )
    )


def accept(command: str) -> str:
    """Return the line that says how a change is accepted."""
    return f"if this is meant: {command}"
