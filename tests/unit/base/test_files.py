"""Listing the names of a folder, which every null build does, and replacing a file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quard.base.files import listed, replacing


def test_names_with_the_ending_are_listed_sorted(tmp_path: Path) -> None:
    for name in ("b.toml", "a-b.toml", "a.toml", ".c.toml", "d.toml~", "toml"):
        (tmp_path / name).touch()
    assert listed(tmp_path, ".toml") == [".c.toml", "a-b.toml", "a.toml", "b.toml"]


def test_a_folder_that_does_not_exist_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert listed(tmp_path / "none", "") == []
    assert listed(tmp_path / "file", "") == []


def test_several_threads_replace_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def replace(number: int) -> None:
        with replacing(path) as part:
            part.write_text(f"{number}\n" * 1000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(replace, range(200)))
    (line,) = set(path.read_text().splitlines())
    assert path.read_text() == f"{line}\n" * 1000
    assert list(tmp_path.iterdir()) == [path]


def test_two_replace_a_file_in_turn_although_one_began_earlier(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as early:
        early.write_text("early")
        with replacing(path) as late:
            late.write_text("late")
        assert path.read_text() == "late"
    assert path.read_text() == "early"
