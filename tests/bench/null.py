"""Builds that have nothing to do, and questions: what a person waits for many times a day."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.floor import Floor
from bench.running import Cost, scons, shown
from bench.synthetic import shapes


def null_builds(checkout: Path, board: str, runs: int) -> dict[str, Any]:
    """Return what builds cost that find everything up to date.

    Plain SCons is run in turn with them, over a graph with as many packages.
    """
    file = checkout / "out" / board.partition("=")[2] / "summary.json"
    scons(checkout, board)
    packages = len(require_nothing_built(file)["up_to_date"])
    builds, floors = [], []
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        floor = Floor(Path(folder) / "floor", shapes(packages, seed=1))
        for _ in range(runs):
            builds.append(scons(checkout, board))
            require_nothing_built(file)
            floors.append(floor.run())
    return compared(builds, floors)


def compared(builds: Sequence[Cost], floors: Sequence[Cost]) -> dict[str, Any]:
    """Return the figures of null builds beside those of plain SCons, and their ratio."""
    found: dict[str, Any] = shown(builds)
    found["plain_scons"] = shown(floors)
    ratio = min(cost.cpu for cost in builds) / min(cost.cpu for cost in floors)
    found["of_plain_scons"] = round(ratio, 2)
    return found


def questions(
    checkout: Path, board: str, package: str, runs: int, *arguments: str
) -> dict[str, Any]:
    """Return what each question costs, asked for a program."""
    asked = {"list": (), "info": (package,), "depends": (package,), "rdepends": (package,)}
    return {
        verb: shown(
            [scons(checkout, board, "FORMAT=json", *arguments, verb, *names) for _ in range(runs)]
        )
        for verb, names in asked.items()
    }


def require_nothing_built(summary: Path) -> dict[str, Any]:
    """Return the last build's summary. Ends the benchmark if it made anything."""
    found: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
    made = {key: found[key] for key in ("built", "restored", "images", "failed") if found[key]}
    if made:
        raise SystemExit(f"bench: a build that should have done nothing made {made}")
    return found
