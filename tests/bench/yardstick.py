"""How fast this machine is just now: what the other figures are to be divided by.

Machines differ, and one that is shared differs from minute to minute.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.cold import fetched
from bench.running import PROJECT, run, scons
from quard.boards.board import load
from quard.boards.trees import Trees
from quard.plan import source
from quard.recipes.catalog import Catalog
from quard.sources.archives import Archives

_LOOP = """\
total = 0
for number in range(10_000_000):
    total += number
"""
_PACKAGE = "zlib"
_SCRIPT = """\
set -e
tar -xf "$ARCHIVE" --strip-components=1
./configure --prefix=/usr --shared >configure.log
make -j2 "libz.so.$VERSION" >make.log
"""


def python_loop() -> float:
    """Return the processor seconds that a Python of its own takes for ten million additions."""
    return round(run((sys.executable, "-I", "-c", _LOOP), PROJECT).cpu, 2)


def hand_made(board: str) -> dict[str, float]:
    """Build one small library by shell commands, two jobs at a time; return what that costs."""
    recipe = Catalog(PROJECT / "packages")[_PACKAGE].recipe
    target = load(Trees(PROJECT), board.partition("=")[2]).target
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        env = {
            "ARCHIVE": str(_archive(board)),
            "CHOST": target.triple,
            "LDCONFIG": "true",
            "VERSION": recipe.version,
        }
        cost = run(("sh", "-c", _SCRIPT), Path(folder), env=env)
    return {"seconds": round(cost.seconds, 2), "cpu_seconds": round(cost.cpu, 2)}


def _archive(board: str) -> Path:
    """Return the library's fetched source. Ends the benchmark if it cannot be had."""
    (request,) = source.requests(_PACKAGE, Catalog(PROJECT / "packages")[_PACKAGE].recipe)
    archives = Archives(fetched())
    if not any(map(archives.kept, request.variants)):
        scons(PROJECT, "source", board, quiet=False)
    for variant in request.variants:
        if place := archives.kept(variant):
            return place
    raise SystemExit(f"bench: the source of {_PACKAGE} is not in {fetched()}")
