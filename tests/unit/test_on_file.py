"""What --update-golden says about the files that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import on_file


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Notes of this test alone: those of the run are of another one."""
    mine: list[tuple[str, str]] = []
    monkeypatch.setattr(on_file, "_updates", mine)
    return mine


def test_a_file_is_written_only_if_it_is_different(
    tmp_path: Path, notes: list[tuple[str, str]]
) -> None:
    path = tmp_path / "new/x.json"
    on_file.write(path, "1\n", "x")
    before = path.stat().st_mtime_ns
    on_file.write(path, "1\n", "x")
    assert path.stat().st_mtime_ns == before
    on_file.write(path, "2\n", "x")
    assert path.read_text() == "2\n"
    on_file.remove(path, "x")
    assert not path.exists()
    told = [("new", "x"), ("unchanged", "x"), ("changed", "x"), ("removed", "x")]
    assert notes == told
    assert on_file.updates() == told and on_file.updates() == []


def test_files_are_told_in_order_and_unchanged_ones_are_counted() -> None:
    noted = [("unchanged", "a"), ("new", "d"), ("changed", "c"), ("unchanged", "b"), ("new", "d")]
    assert on_file.told(noted) == (
        "changed: c\nnew: d\nfiles in all: 1 new, 1 changed, 2 unchanged"
    )
    assert on_file.told([]) == "files in all: 0 unchanged"


def test_a_file_of_the_project_has_its_path_there(notes: list[tuple[str, str]]) -> None:
    path = Path(__file__)
    on_file.write(path, path.read_text())
    assert notes == [("unchanged", "tests/unit/test_on_file.py")]
