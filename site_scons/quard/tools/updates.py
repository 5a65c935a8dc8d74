"""What changed since a root was made, from the file that describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from quard.tools.lock import LockedPackage


def updates(folder: Path, before: str, packages: Iterable[LockedPackage]) -> tuple[str, ...]:
    """Return a line for each package that differs between a root and today's packages.

    folder -- of all packages and roots
    before -- digest of the root
    Empty if that root was not made here, or if only its links or its layout changed.
    """
    old = _packages(folder, before)
    new = {package.name: (package.version, package.sha256) for package in packages}
    if old is None:
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
