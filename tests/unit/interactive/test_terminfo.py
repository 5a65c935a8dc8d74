"""quard.interactive.terminfo: where the description of a terminal is found and copied to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quard.interactive.terminfo import copy, find, folders

STANDARD = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo"]


def described(folder: Path, path: str, content: bytes = b"described") -> Path:
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return folder


def test_folders_are_those_of_ncurses_in_its_order(tmp_path: Path) -> None:
    found = folders({"TERMINFO": "/own", "TERMINFO_DIRS": "/one::/two"}, tmp_path)
    home = str(tmp_path / ".terminfo")
    assert [*map(str, found)] == ["/own", home, "/one", *STANDARD, "/two", *STANDARD]


@pytest.mark.parametrize("given", ["", "b64:GgE=", "hex:1A01", "relative"])
def test_a_variable_that_is_no_path_is_ignored(given: str) -> None:
    assert [*map(str, folders({"TERMINFO": given}, None))] == STANDARD * 2


def test_the_first_description_counts(tmp_path: Path) -> None:
    one = described(tmp_path / "one", "x/xterm", b"one")
    two = described(tmp_path / "two", "78/xterm", b"two")
    assert find("xterm", (one, two)) == b"one"
    assert find("xterm", (tmp_path / "absent", two, one)) == b"two"
    assert find("xterm-kitty", (one, two)) is None


@pytest.mark.parametrize("kind", ["", ".", "..", "../x/xterm", "/x/xterm", "x/xterm", "a\0b"])
def test_a_name_that_is_a_path_has_no_description(tmp_path: Path, kind: str) -> None:
    described(tmp_path, "x/xterm")
    described(tmp_path, "xterm")
    assert find(kind, (tmp_path,)) is None


def test_what_is_no_description_is_passed_over(tmp_path: Path) -> None:
    large = described(tmp_path / "large", "x/xterm", bytes(1 << 16))
    (tmp_path / "folder" / "x" / "xterm").mkdir(parents=True)
    (tmp_path / "pipe" / "x").mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe" / "x" / "xterm")
    good = described(tmp_path / "good", "x/xterm")
    places = (large, tmp_path / "folder", tmp_path / "pipe", good)
    assert find("xterm", places) == b"described"


def test_a_description_is_copied_to_where_ncurses_looks_first(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        copy(content, "xterm", tmp_path)
    assert (tmp_path / ".terminfo/x/xterm").read_bytes() == b"new"
