"""Builds that have nothing to do, and questions: what a person waits for many times a day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.running import Cost, scons, shown


def null_builds(checkout: Path, board: str, runs: int, *arguments: str) -> dict[str, Any]:
    """Return what builds cost that find everything up to date, and plain SCons without a node."""
    name = board.partition("=")[2]
    builds: list[Cost] = []
    for _ in range(runs):
        builds.append(scons(checkout, board, *arguments))
        require_nothing_built(checkout / "out" / name / "summary.json")
    return shown(builds)


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


def require_nothing_built(summary: Path) -> None:
    """End the benchmark if the last build made anything."""
    found = json.loads(summary.read_text(encoding="utf-8"))
    made = {key: found[key] for key in ("built", "restored", "images", "failed") if found[key]}
    if made:
        raise SystemExit(f"bench: a build that should have done nothing made {made}")
