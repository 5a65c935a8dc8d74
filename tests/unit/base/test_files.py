"""Listing the names of a folder, which every null build does."""

from __future__ import annotations

from pathlib import Path

from quard.base.files import listed


def test_names_with_the_ending_are_listed_sorted(tmp_path: Path) -> None:
    for name in ("b.toml", "a-b.toml", "a.toml", ".c.toml", "d.toml~", "toml"):
        (tmp_path / name).touch()
    assert listed(tmp_path, ".toml") == [".c.toml", "a-b.toml", "a.toml", "b.toml"]


def test_a_folder_that_does_not_exist_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert listed(tmp_path / "none", "") == []
    assert listed(tmp_path / "file", "") == []
