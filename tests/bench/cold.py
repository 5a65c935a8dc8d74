"""A build from nothing but the fetched sources."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import checkout
from bench.running import PROJECT, scons


def cold_build(board: str) -> dict[str, Any]:
    """Build a copy of the checkout with an empty store, from the sources that are there."""
    scons(PROJECT, "source", board, quiet=False)
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        copy = Path(folder) / "checkout"
        checkout.copy(copy)
        settings = (f"cache.dir={folder}/cache", f"sources.dir={fetched()}")
        cost = scons(copy, board, *settings, quiet=False, watch=True)
    return {
        "seconds": round(cost.seconds, 2),
        "cpu_seconds": round(cost.cpu, 2),
        "peak_mib": round(cost.peak, 1),
    }


def fetched() -> Path:
    """Return the folder of fetched sources, as the session finds it."""
    return checkout.cache_folder() / "sources"
