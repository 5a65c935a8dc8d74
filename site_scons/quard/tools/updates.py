"""What changed between two roots, from the files that describe them."""

from __future__ import annotations

import json
from pathlib import Path


def updates(folder: Path, before: str, now: str) -> tuple[str, ...]:
    """Return a line for each package that differs between two roots.

    folder      -- of all packages and roots
    before, now -- digests of the roots
    Empty if one of them was not made here, or if only its links or its layout changed.
    """
    old, new = _packages(folder, before), _packages(folder, now)
    if old is None or new is None:
        return ()
    lines = []
    for name in sorted({*old, *new}):
        if name not in new:
            lines.append(f"{name} removed")
        elif name not in old:
            lines.append(f"{name} added")
        elif old[name] != new[name]:
            lines.append(f"{name} {old[name][0]} -> {new[name][0]}")
    return tuple(lines)


def _packages(folder: Path, digest: str) -> dict[str, tuple[str, str]] | None:
    """Return name -> version and sha256 of a root's packages; None if that is not known."""
    try:
        found = json.loads((folder / "roots" / f"{digest}.json").read_text(encoding="utf-8"))
        return {n: (each["version"], each["sha256"]) for n, each in found["packages"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # missing, damaged, or of another version
