"""What the images take."""

from __future__ import annotations

import json
from pathlib import Path

_MIB = 1 << 20


def sizes(images: Path) -> dict[str, float]:
    """Return the size of each image file, and of what is in the root file system, in MiB."""
    manifest = json.loads((images / "manifest.json").read_text(encoding="utf-8"))
    content = sum(entry.get("size", 0) for entry in manifest.values())
    found: dict[str, float] = {"content_mib": round(content / _MIB, 2)}
    for path in sorted(images.iterdir()):
        if path.suffix in (".json", ".sh") or path.name.startswith("."):
            continue
        found[f"{path.name}_mib"] = round(path.stat().st_size / _MIB, 2)
    return found
