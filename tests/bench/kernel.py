"""One line of the kernel's configuration, in the folder of the last build, beside a clean build."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.running import Cost, shown
from bench.subject import Subject

_LINES = ("CONFIG_MACVLAN=y\n", "CONFIG_VETH=y\n", "CONFIG_NLMON=y\n")
"""Small drivers, one more for each run: no store has the kernel with them."""


def kernel(subject: Subject, runs: int) -> dict[str, Any]:
    """Return what one more line costs, and its share of a clean kernel's time."""
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        copy = Path(folder) / "checkout"
        subject.copy(copy)
        subject.build(copy)
        clean = subject.build(copy, "linux-rebuild")
        fragment = copy / "packages/linux/quard-star.fragment"
        lines: list[Cost] = []
        for line in _LINES[:runs]:
            with fragment.open("a", encoding="utf-8") as file:
                file.write(line)
            lines.append(subject.build(copy, "linux"))
            subject.require(copy, built=1)
    found = {"clean": shown([clean]), "line": shown(lines)}
    share = found["line"]["median_seconds"] / found["clean"]["seconds"]
    return {**found, "of_clean": round(share, 3)}
