"""A build from nothing but the fetched sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.running import PROJECT, scons


def cold_build(board: str) -> dict[str, Any]:
    """Build a copy of the checkout with an empty store, from the sources that are there."""
    scons(PROJECT, "source", board, quiet=False)
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        copy = Path(folder) / "checkout"
        listed = subprocess.run(
            ("git", "ls-files", "-z"), cwd=PROJECT, check=True, capture_output=True, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name, follow_symlinks=False)
        settings = (f"cache.dir={folder}/cache", f"sources.dir={fetched()}")
        cost = scons(copy, board, *settings, quiet=False, watch=True)
    return {
        "seconds": round(cost.seconds, 2),
        "cpu_seconds": round(cost.cpu, 2),
        "peak_mib": round(cost.peak, 1),
    }


def fetched() -> Path:
    """Return the folder of fetched sources, as the session finds it."""
    if os.environ.get("CI", "") not in ("", "0", "false"):
        return PROJECT / ".cache" / "sources"
    base = os.environ.get("XDG_CACHE_HOME", "") or f"{os.environ.get('HOME', '')}/.cache"
    return Path(base) / "quardroot" / "sources"
