"""Licence files that a recipe names and the source has, or has not."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from split_parts import refused, write

from quard.execute.licenses import hashes, require


def test_each_file_has_its_hash_and_a_missing_one_none(tmp_path: Path) -> None:
    write(tmp_path / "COPYING", "MIT")
    write(tmp_path / "LICENSES/GPL-2.0", "GPL")
    (tmp_path / "LICENSE").symlink_to("LICENSES/GPL-2.0")
    found = hashes(tmp_path, ("COPYING", "LICENSE", "NOTICE", "LICENSES"))
    assert found == {
        "COPYING": hashlib.sha256(b"MIT").hexdigest(),
        "LICENSE": hashlib.sha256(b"GPL").hexdigest(),
        "NOTICE": None,
        "LICENSES": None,
    }


def test_a_link_out_of_the_source_is_no_licence_file(tmp_path: Path) -> None:
    write(tmp_path / "outside")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/COPYING").symlink_to("../outside")
    assert hashes(tmp_path / "src", ("COPYING",)) == {"COPYING": None}


def test_nothing_is_said_when_all_are_there(tmp_path: Path) -> None:
    require("thing 1", tmp_path, {"COPYING": "0" * 64})
    require("thing 1", tmp_path, {})


@pytest.mark.parametrize(
    ("there", "wanted", "line"),
    [
        ("Copying", "COPYING", "similar names: Copying"),
        ("doc/legal/COPYING", "COPYING", "similar names: doc/legal/COPYING"),
        ("LICENSE.txt", "LICENSE", "similar names: LICENSE.txt"),
        ("LICENCE", "LICENSE", "similar names: LICENCE"),
        ("NOTICE", "COPYING.BSD", "similar names: NOTICE"),
        ("README", "COPYING", "the source has README"),
        ("COPYING/GPL", "COPYING", "COPYING is not a file"),
    ],
)
def test_a_missing_one_is_told_with_what_is_near(
    tmp_path: Path, there: str, wanted: str, line: str
) -> None:
    write(tmp_path / there)
    error = refused(lambda: require("thing 1", tmp_path, hashes(tmp_path, (wanted,))))
    assert error.reason == "license-file-missing"
    assert error.message == "thing 1: the recipe names licence files that the source does not have"
    assert line in error.detail


def test_all_that_are_missing_are_told(tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / f"file{number:02}.c")
    write(tmp_path / "GPL")
    error = refused(lambda: require("x 1", tmp_path, hashes(tmp_path, ("GPL", "MIT", "x/BSD"))))
    assert error.detail == "MIT is not in the source\nx/BSD is not in the source"
    os.remove(tmp_path / "GPL")
    error = refused(lambda: require("x 1", tmp_path, hashes(tmp_path, ("MIT",))))
    assert error.detail.endswith("file18.c, file19.c, ...")
