"""What is measured: a project, one of its boards, and copies of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkout
from bench.cold import fetched
from bench.running import PROJECT, Cost, scons
from quard.sources.availability import recorded


@dataclass(frozen=True)
class Subject:
    """A board of a project.

    sources -- folder of fetched archives
    cache   -- the cache folder with its warm store; "" for the user's own
    given   -- settings for every run
    """

    project: Path
    board: str
    sources: Path
    cache: str = ""
    given: tuple[str, ...] = ()

    def copy(self, to: Path) -> None:
        """Copy the project's files, without what was built."""
        if self.project == PROJECT:
            checkout.copy(to)
        else:
            ignored = shutil.ignore_patterns("out", ".sconsign.dblite")
            shutil.copytree(self.project, to, symlinks=True, ignore=ignored)

    def settle(self, folder: Path) -> None:
        """Give a copy's board the optional features that the project's last build has had.

        To look for a source that this machine cannot reach takes as long as its network lets it.
        """
        board = folder / "configs" / f"{self.board}.toml"
        text = board.read_text(encoding="utf-8")
        for choice in recorded(self.project / "out" / self.board / "availability.json"):
            optional = f'{choice.package}.{choice.feature} = "if-available"'
            text = text.replace(optional, optional.partition("=")[0] + f"= {choice.on}".lower())
        board.write_text(text, encoding="utf-8")

    def build(self, folder: Path, *arguments: str, cache: str = "") -> Cost:
        """Build in a copy, or in the project itself.

        cache -- the cache folder, if not the warm one
        """
        return scons(folder, *self.words(*arguments, cache=cache))

    def words(self, *arguments: str, cache: str = "") -> tuple[str, ...]:
        """Return the arguments of a build."""
        place = cache or self.cache
        settings = (f"cache.dir={place}",) if place else ()
        return (f"BOARD={self.board}", *self.given, *settings, *arguments)

    def summary(self, folder: Path) -> Mapping[str, Any]:
        """Return what the last build in a copy did."""
        path = folder / "out" / self.board / "summary.json"
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def require(self, folder: Path, *, built: int) -> None:
        """End the benchmark unless the last build has built so many packages."""
        found = [row["name"] for row in self.summary(folder)["built"]]
        if len(found) != built:
            raise SystemExit(f"bench: {len(found)} packages were built, not {built}: {found}")

    def record(self, folder: Path, package: str) -> Path:
        """Return the file that describes a package's result in a copy."""
        return folder / "out" / self.board / "units" / f"{package}.record.json"

    def worker(self, folder: Path, package: str) -> str:
        """Return who has built a package of a copy; "" for this machine."""
        text = self.record(folder, package).read_text(encoding="utf-8")
        found: str = json.loads(text).get("worker", "")
        return found


def checkouts(board: str) -> Subject:
    """Return a board of this checkout."""
    return Subject(PROJECT, board, fetched())
