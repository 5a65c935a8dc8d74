"""What a job takes from its place has the digest that the plan names, or it is an error."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.base.files import FileRef, observe
from quard.execute.place import JobPlace
from quard.ledger.results import Results

TEXT = b"--- a/x\n+++ b/x\n"
PATCH = FileRef("0001-x.patch", hashlib.sha256(TEXT).hexdigest())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / PATCH.name
    path.write_bytes(TEXT)
    return path


def place(*paths: Path) -> JobPlace:
    top = paths[0].parent if paths else Path()
    return JobPlace(
        requests=(),
        tree=None,
        files={path.name: path for path in paths},
        needs={},
        natives={},
        results=Results(top, "x"),
        work=top / "work",
        log=top / "log",
        shown="log",
    )


def test_a_file_is_found_by_its_name_and_verified_by_its_digest(path: Path) -> None:
    assert place(path).read(PATCH) == TEXT


def test_a_changed_file_is_an_error(path: Path) -> None:
    path.write_bytes(TEXT + b"more\n")
    with pytest.raises(QuardError) as caught:
        place(path).read(PATCH)
    assert caught.value.reason == "changed-while-building"
    assert caught.value.detail == str(path)


def test_a_comment_of_a_fragment_may_change_and_a_setting_may_not(tmp_path: Path) -> None:
    path = tmp_path / "x.fragment"
    path.write_bytes(b"# One.\nCONFIG_A=y\n")
    fragment = observe(path, path.name, origin=path.name)
    path.write_bytes(b"# Two.\nCONFIG_A=y\n")
    assert place(path).read(fragment) == b"CONFIG_A=y\n"
    path.write_bytes(b"# Two.\nCONFIG_A=m\n")
    with pytest.raises(QuardError) as caught:
        place(path).read(fragment)
    assert caught.value.reason == "changed-while-building"


def test_a_removed_file_is_an_error_whether_the_folder_was_listed_before_or_after(
    path: Path,
) -> None:
    listed = place(path)
    path.unlink()
    for found in (listed, place()):
        with pytest.raises(QuardError) as caught:
            found.read(PATCH)
        assert caught.value.reason == "changed-while-building"


def test_a_pipe_in_the_place_of_a_file_is_not_read(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="a pipe"):
        place(path).read(PATCH)
