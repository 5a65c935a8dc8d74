"""Paths of the last image that several packages, or a package and an overlay, install."""

from __future__ import annotations

import json
from pathlib import Path


def contested(manifest: Path, name: str) -> dict[str, list[str]]:
    """Return what the last image has of paths that are not of one package alone, sorted.

    manifest -- manifest.json of the root, which need not exist
    yielded  -- paths that the package leaves to another one
    won      -- paths that another package leaves to this one
    replaced -- paths of the package that an overlay replaces
    """
    found: dict[str, list[str]] = {"yielded": [], "won": [], "replaced": []}
    try:
        entries = json.loads(manifest.read_bytes())
    except (OSError, ValueError):  # there is no image, or it is being made
        return found
    for path, entry in sorted(entries.items()):
        owner, others = entry["package"], entry.get("yielded_by", [])
        if name in others:
            found["yielded"].append(f"{path} (to {owner})")
        if others and owner == name:
            found["won"].append(f"{path} (from {', '.join(others)})")
        if entry.get("replaces") == name:
            found["replaced"].append(f"{path} (by {owner})")
    return found
