"""What packages that were built install, as lists that a review can read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import on_file
from quard.boards import settings
from quard.ledger.results import Results
from quard.plan.unit import TARGET_PARTS
from quard.project import places
from quard.store import blob

PARTS = (*TARGET_PARTS, "dev", "deploy")
"""The parts whose paths are listed; names of debug information depend on what was compiled."""
LISTS = Path(__file__).with_name("golden")
"""The folder of the lists."""


def stores(project: Path) -> tuple[Path, ...]:
    """Return the folders that hold the blobs of a checkout's packages."""
    home = places.home(os.environ)
    cache = settings.load(project, {}, home).cache or places.cache(project, os.environ, home)
    return cache / "store" / "cas", project / "out/store/cas"


def listing(packages: Path, name: str, folders: Sequence[Path]) -> str:
    """Return a line per path of a package's parts: part, mode, type, path, and a link's target.

    packages -- folder of the board's result files
    folders  -- where the blobs lie
    """
    lines: list[str] = []
    for name_of_part in PARTS:
        if path := part(packages, name, name_of_part, folders):
            lines += _lines(name_of_part, path)
    debug = part(packages, name, "debug", folders)
    if debug and blob.members(debug):
        lines.append("debug")
    return "".join(f"{line}\n" for line in lines)


def part(packages: Path, name: str, which: str, folders: Sequence[Path]) -> Path | None:
    """Return the blob of a package's part, named by its hash; None where it has no such part."""
    record = json.loads(Results(packages, name).record.read_bytes())
    if which not in record["blobs"]:
        return None
    sha256: str = record["blobs"][which]
    found = [place for folder in folders if (place := folder / sha256[:2] / sha256).exists()]
    assert found, f"blob {sha256} is in none of {folders}"
    return found[0]


def _lines(part: str, path: Path) -> Iterator[str]:
    for member in blob.members(path):
        target = f" -> {member.target}" if member.target else ""
        yield f"{part:8} {member.mode:04o} {member.type:8} {member.path}{target}"


def changes(project: Path, board: str, name: str, tests: str, *, update: bool) -> str:
    """Return how what a package of a built board installs differs from NAME.paths, as `difference`.

    tests  -- the file of the test that asks
    update -- write the list as it is now
    """
    text = listing(project / "out" / board / "units", name, stores(project))
    path = LISTS / f"{name}.paths"
    if update:
        path.write_text(text, encoding="utf-8")
    return difference(path, text, tests)


def difference(path: Path, text: str, tests: str) -> str:
    """Return how a text differs from the list on file, and the command that accepts it; else "".

    tests -- the file of the test that asks: it can also write the list
    """
    command = f"pytest {Path(tests).relative_to(LISTS.parents[1])} --update-golden"
    return on_file.difference(path, text, now="what is installed now", command=command)
