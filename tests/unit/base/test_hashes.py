"""Hashes that are remembered with what stat says: right after every change, read once otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quard.base import canonical, hashes
from quard.base.files import file_sha256
from quard.base.hashes import Hashes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a").write_text("a")
    (tmp_path / "tree/b").write_text("b")
    return tmp_path / "tree"


@pytest.fixture
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every file for one that was written long ago."""
    monkeypatch.setattr(hashes, "GRAIN", -(10**10))


def scan(folder: Path, *names: str) -> dict[str, str]:
    """Hash some files as a scan does."""
    scanned = Hashes(folder, folder.parent / "memory.json")
    found = {name: scanned.of(name, (folder / name).stat()) for name in names}
    scanned.save()
    return found


def stored(folder: Path) -> dict[str, list[object]]:
    value = canonical.unsealed((folder.parent / "memory.json").read_bytes())
    assert value is not None
    found: dict[str, list[object]] = value["files"]
    return found


@pytest.mark.usefixtures("rested")
def test_what_is_not_asked_for_any_more_is_forgotten(folder: Path) -> None:
    scan(folder, "a", "b")
    assert set(stored(folder)) == {"a", "b"}
    scan(folder, "a")
    assert set(stored(folder)) == {"a"}


@pytest.mark.usefixtures("rested")
def test_a_scan_that_learns_nothing_writes_nothing(folder: Path) -> None:
    scan(folder, "a", "b")
    before = (folder.parent / "memory.json").stat().st_ino
    scan(folder, "a", "b")
    assert (folder.parent / "memory.json").stat().st_ino == before


@pytest.mark.usefixtures("rested")
def test_another_file_with_the_same_times_and_size_is_read(folder: Path) -> None:
    scan(folder, "a")
    (folder / "new").write_text("c")
    times = (folder / "a").stat()
    (folder / "new").replace(folder / "a")
    os.utime(folder / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert scan(folder, "a") == {"a": file_sha256(folder / "a")}


def test_without_a_memory_everything_is_read_and_nothing_written(folder: Path) -> None:
    scanned = Hashes(folder, None)
    assert scanned.of("a", (folder / "a").stat()) == file_sha256(folder / "a")
    scanned.save()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["tree"]


@pytest.mark.usefixtures("rested")
def test_a_memory_that_cannot_be_written_only_costs_time(folder: Path) -> None:
    (folder.parent / "memory.json").mkdir()
    for _ in range(2):
        assert scan(folder, "a") == {"a": file_sha256(folder / "a")}
