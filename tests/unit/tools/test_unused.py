"""What is removed of the pinned tools, and what stays."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from quard.tools.unused import UNFINISHED, UNUSED, Removed, remove

NOW = 2_000_000_000.0
SIZE = 10
"""Bytes of each package's file."""


class Tools:
    """A folder of packages and roots."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("packages", "roots", "debs/make"):
            (folder / name).mkdir(parents=True)

    def package(self, sha256: str) -> Path:
        place = self.folder / "packages" / sha256
        (place / "usr").mkdir(parents=True)
        (place / "usr" / "file").write_bytes(b"x" * SIZE)
        return place

    def root(self, digest: str, *packages: str, age: float = 0) -> Path:
        place = self.folder / "roots" / digest
        (place / "usr").mkdir(parents=True)
        for sha256 in packages:
            os.link(self.folder / "packages" / sha256 / "usr/file", place / "usr" / sha256)
        text = json.dumps({"packages": {name: {"sha256": name} for name in packages}})
        description = place.with_name(f"{digest}.json")
        description.write_text(text)
        os.utime(description, (NOW - age, NOW - age))
        return place

    def download(self, name: str, age: float = 0) -> Path:
        path = self.folder / "debs" / "make" / name
        path.write_bytes(b"x" * SIZE)
        os.utime(path, (NOW - age, NOW - age))
        return path

    def left(self, kind: str) -> list[str]:
        return sorted(os.listdir(self.folder / kind))


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(tmp_path)


def test_nothing_that_was_used_lately_goes(tools: Tools) -> None:
    tools.package("a")
    tools.root("one", "a", age=UNUSED - 60)
    tools.download("make.deb", UNUSED - 60)
    assert remove(tools.folder, NOW) == Removed(0, 0, 0, 0)
    assert (tools.left("roots"), tools.left("packages")) == (["one", "one.json"], ["a"])


def test_old_root_goes_with_the_packages_that_only_it_has(tools: Tools) -> None:
    for name in ("a", "b"):
        tools.package(name)
    tools.root("old", "a", "b", age=UNUSED + 60)
    kept = tools.root("new", "b")
    assert remove(tools.folder, NOW) == Removed(1, 1, 0, SIZE)
    assert (tools.left("roots"), tools.left("packages")) == (["new", "new.json"], ["b"])
    assert (kept / "usr/b").read_bytes() == b"x" * SIZE


def test_package_that_a_build_is_about_to_use_stays(tools: Tools) -> None:
    place = tools.package("a")
    made = place.stat().st_ctime
    assert remove(tools.folder, made + UNFINISHED - 60) == Removed(0, 0, 0, 0)
    assert remove(tools.folder, made + UNFINISHED + 60) == Removed(0, 1, 0, SIZE)


def test_old_downloads_go_and_unfinished_ones_stay(tools: Tools) -> None:
    tools.download("old.deb", UNUSED + 60)
    tools.download("new.deb")
    tools.download("make.deb.part", UNUSED + 60)
    assert remove(tools.folder, NOW) == Removed(0, 0, 1, SIZE)
    assert tools.left("debs/make") == ["make.deb.part", "new.deb"]


def test_dry_run_tells_the_same_and_removes_nothing(tools: Tools) -> None:
    tools.package("a")
    tools.root("old", "a", age=UNUSED + 60)
    tools.download("old.deb", UNUSED + 60)
    assert remove(tools.folder, NOW, dry=True) == Removed(1, 1, 1, 2 * SIZE)
    assert tools.left("roots") == ["old", "old.json"]
    assert remove(tools.folder, NOW) == Removed(1, 1, 1, 2 * SIZE)
    assert (tools.left("roots"), tools.left("packages")) == ([], [])


def test_leftover_of_a_killed_run_does_not_stop_it(tools: Tools) -> None:
    tools.root("old", age=UNUSED + 60)
    (tools.folder / "roots" / "old.part" / "usr").mkdir(parents=True)
    assert remove(tools.folder, NOW) == Removed(1, 0, 0, 0)
    assert tools.left("roots") == []


def test_damaged_description_keeps_no_package(tools: Tools) -> None:
    tools.package("a")
    tools.root("one", "a")
    (tools.folder / "roots" / "one.json").write_text("{")
    os.utime(tools.folder / "roots" / "one.json", (NOW, NOW))
    assert remove(tools.folder, NOW) == Removed(0, 1, 0, SIZE)
    assert tools.left("roots") == ["one", "one.json"]


def test_folder_that_does_not_exist_has_nothing(tmp_path: Path) -> None:
    assert remove(tmp_path / "none", NOW) == Removed(0, 0, 0, 0)


def test_root_whose_removal_was_interrupted_goes_at_the_next_time(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.root("old", age=UNUSED + 60)

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", end)
    with pytest.raises(KeyboardInterrupt):
        remove(tools.folder, NOW)
    monkeypatch.undo()
    assert remove(tools.folder, NOW).roots == 1
    assert tools.left("roots") == []
