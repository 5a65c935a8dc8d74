"""How the cost of a build that does nothing, and of one changed leaf, grows with the board."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.floor import Floor
from bench.null import compared, questions, require_nothing_built
from bench.running import Cost, scons, shown
from bench.synthetic import Board, generate
from bench.yardstick import python_loop

_BOARD = "BOARD=tiny"
_CHANGES = 2


def counts(text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as 10,100,1000; raises ValueError for another text."""
    found = tuple(int(word) for word in text.split(","))
    if min(found) < 5:
        raise ValueError("a board has at least 5 packages")
    return tuple(sorted(set(found)))


def scale(sizes: Sequence[int], runs: int) -> list[dict[str, Any]]:
    """Return a row for each size of board; each is generated and built from nothing first."""
    rows: list[dict[str, Any]] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
            rows.append(_Measured(Path(folder), size).row(runs))
        if len(rows) > 1:
            rows[-1]["null_build"]["cpu_ms_per_package"] = _slope(rows[0], rows[-1])
    return rows


def _slope(small: dict[str, Any], large: dict[str, Any]) -> float:
    """Return what a package more costs, in milliseconds of processor time."""
    more = large["null_build"]["cpu_seconds"] - small["null_build"]["cpu_seconds"]
    return float(round(1000 * more / (large["packages"] - small["packages"]), 3))


class _Measured:
    """One synthetic board."""

    def __init__(self, folder: Path, size: int) -> None:
        print(f"a board of {size} packages: generating and building it", flush=True)
        self._size = size
        self._board: Board = generate(folder, size)
        self._checkout = self._board.project.folder
        self._cache = f"cache.dir={self._board.project.cache}"
        self._first = self._build()
        built = [row["name"] for row in self._summary()["built"]]
        if len(built) != size:
            raise SystemExit(f"bench: {len(built)} of {size} packages were built")
        self._floor = Floor(folder / "floor", self._board.shapes)

    def row(self, runs: int) -> dict[str, Any]:
        """Return all figures; the plain graph is looked at in turn with the board."""
        before = python_loop()
        restored = [self._restore(number) for number in range(_CHANGES)]
        nulls, floors = [], []
        for _ in range(runs):
            nulls.append(self._build())
            require_nothing_built(self._summary_file)
            floors.append(self._floor.run())
        leaves = [self._change_leaf(f"change {number}") for number in range(_CHANGES)]
        asked = questions(self._checkout, _BOARD, self._board.leaf.name, min(runs, 3), self._cache)
        row: dict[str, Any] = {
            "packages": self._size,
            "processors": len(os.sched_getaffinity(0)),
            "python_loop_seconds": [before, python_loop()],
            "first_build": shown([self._first]),
            "restored": self._rate(restored),
            "null_build": compared(nulls, floors),
            "leaf_change": shown(leaves),
            "questions": asked,
        }
        print(json.dumps(row, sort_keys=True), flush=True)
        return row

    def _restore(self, number: int) -> Cost:
        """Build as a fresh clone with the warm store does.

        The last build's files are put aside: where many were removed just before, ext4 takes
        long to make one (fs/ext4/ialloc.c, `recently_deleted`), which no fresh clone sees.
        """
        (self._checkout / "out").rename(self._checkout.parent / f"out{number}")
        cost = self._build()
        summary = self._summary()
        if summary["built"] or len(summary["restored"]) != self._size:
            raise SystemExit(f"bench: {len(summary['restored'])} of {self._size} were restored")
        return cost

    def _rate(self, restored: Sequence[Cost]) -> dict[str, float]:
        found = shown(restored)
        return {**found, "packages_a_second": round(self._size / found["seconds"], 1)}

    def _build(self) -> Cost:
        return scons(self._checkout, _BOARD, self._cache)

    def _change_leaf(self, text: str) -> Cost:
        self._board.change_leaf(text)
        cost = self._build()
        summary = self._summary()
        built = [row["name"] for row in summary["built"]]
        if built != [self._board.leaf.name] or summary["images"] != ["rootfs.tar"]:
            raise SystemExit(f"bench: a changed leaf made {built} and {summary['images']}")
        return cost

    @property
    def _summary_file(self) -> Path:
        return self._checkout / "out" / _BOARD.partition("=")[2] / "summary.json"

    def _summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._summary_file.read_text(encoding="utf-8"))
        return found
