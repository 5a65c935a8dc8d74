"""Texts that a review reads as files: how what is there now differs from what is on file."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

GOLDEN = "pytest tests/golden --update-golden"
"""The command that accepts what the plans of now are."""
_TOP = Path(__file__).resolve().parents[1]
_SAME = "unchanged"
_updates: list[tuple[str, str]] = []


def write(path: Path, text: str, shown: str = "") -> None:
    """Write a file as it is now, and note whether it was new or changed.

    shown -- its name for people; "": that in the project
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    there = path.exists()
    same = there and path.read_text(encoding="utf-8") == text
    if not same:
        path.write_text(text, encoding="utf-8")
    _note(_SAME if same else "changed" if there else "new", path, shown)


def remove(path: Path, shown: str = "") -> None:
    """Remove a file of something that is gone, and note that."""
    path.unlink()
    _note("removed", path, shown)


def _note(how: str, path: Path, shown: str) -> None:
    _updates.append((how, shown or path.relative_to(_TOP).as_posix()))


def updates() -> list[tuple[str, str]]:
    """Return what was noted in this process since the last call: how, and the name of the file."""
    found = [*_updates]
    _updates.clear()
    return found


def told(noted: Iterable[tuple[str, str]]) -> str:
    """Return the lines about an update: a file each, unless it is unchanged, and the numbers."""
    rows = sorted({(shown, how) for how, shown in noted})
    counts = Counter(how for _, how in rows)
    lines = [f"{how}: {shown}" for shown, how in rows if how != _SAME]
    kinds = ("new", "changed", "removed", _SAME)
    numbers = [f"{counts[kind]} {kind}" for kind in kinds if counts[kind] or kind == _SAME]
    return "\n".join([*lines, f"files in all: {', '.join(numbers)}"])


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
