"""What packages that were built install, as lists that a review can read."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import checkout
import on_file
from quard.boards import settings
from quard.ledger.results import Results
from quard.plan.unit import target_parts
from quard.project import places
from quard.store import blob

OTHERS = ("dev", "deploy")
"""The parts whose paths are listed behind those for the target."""
UNLISTED = frozenset(("debug", "log"))
"""Blobs without a list: names of debug information depend on what was compiled."""
LISTS = Path(__file__).with_name("golden")
"""The folder of the lists."""


def stores(project: Path) -> tuple[Path, ...]:
    """Return the folders that may hold the blobs of a project's packages.

    A project of tests is built with the checkout's cache, see checkout.build.
    """
    home = places.home(os.environ)
    own = settings.load(project, {}, home).cache or places.cache(project, os.environ, home)
    caches = dict.fromkeys((own, checkout.cache_folder()))
    return *(cache / "store" / "cas" for cache in caches), project / "out/store/cas"


def listing(packages: Path, name: str, folders: Sequence[Path]) -> str:
    """Return a line per path of a package's parts: part, mode, type, path, and a link's target.

    packages -- folder of the board's result files
    folders  -- where the blobs lie
    """
    lines: list[str] = []
    for which in _listed(blobs(packages, name)):
        if path := part(packages, name, which, folders):
            lines += _lines(which, path)
    debug = part(packages, name, "debug", folders)
    if debug and blob.members(debug):
        lines.append("debug")
    return "".join(f"{line}\n" for line in lines)


def blobs(packages: Path, name: str) -> dict[str, str]:
    """Return the hashes of what was kept of a package, by the names of its parts."""
    record = json.loads(Results(packages, name).record.read_bytes())
    found: dict[str, str] = record["blobs"]
    return found


def _listed(parts: Collection[str]) -> Iterator[str]:
    """Yield the parts to list: those for the target, also of the recipe's own, then the others."""
    yield from target_parts({*parts}.difference(OTHERS, UNLISTED))
    yield from OTHERS


def part(packages: Path, name: str, which: str, folders: Sequence[Path]) -> Path | None:
    """Return the blob of a package's part, named by its hash; None where it has no such part."""
    sha256 = blobs(packages, name).get(which)
    if sha256 is None:
        return None
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
        on_file.write(path, text)
    return difference(path, text, tests)


def difference(path: Path, text: str, tests: str) -> str:
    """Return how a text differs from the list on file, and the command that accepts it; else "".

    tests -- the file of the test that asks: it can also write the list
    """
    command = f"pytest {Path(tests).relative_to(LISTS.parents[1])} --update-golden"
    return on_file.difference(path, text, now="what is installed now", command=command)
