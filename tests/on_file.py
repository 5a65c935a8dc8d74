"""Texts that a review reads as files: how what is there now differs from what is on file."""

from __future__ import annotations

import difflib
from pathlib import Path


def difference(path: Path, text: str, *, now: str, command: str) -> str:
    """Return what is different; "" where nothing is.

    now     -- what the text is
    command -- accepts it
    """
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if old == text:
        return ""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"tests/golden/{path.name}",
        now,
    )
    return f"{''.join(lines)}\nif this is meant: {command}"
