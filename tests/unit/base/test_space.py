"""One error for a full disk, whoever meets it."""

from __future__ import annotations

import ast
import errno
import os
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.base.space import disk_full, enough_space, is_full, says_full

ENGINE = Path(__file__).resolve().parents[3] / "site_scons"
FULL = Path("/dev/full")


def test_a_write_to_a_full_disk_is_the_one_error(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught, enough_space(tmp_path, "making x"):
        FULL.write_bytes(b"x")
    error = caught.value
    assert error.message == "no space left on the disk while making x"
    assert error.detail == f"{tmp_path}\n{os.strerror(errno.ENOSPC)}"
    assert error.reason == "disk-full"
    assert error.hint == "free some space there and start again; finished work is kept"


def test_another_fault_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), enough_space(tmp_path):
        (tmp_path / "missing").read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_quota_is_a_full_disk(number: int) -> None:
    assert is_full(OSError(number, os.strerror(number)))
    assert says_full(f"mke2fs: {os.strerror(number)} while writing")


def test_what_is_not_full_is_not_taken_for_it() -> None:
    assert not is_full(OSError(errno.EACCES, "Permission denied"))
    assert not is_full(OSError("no number at all"))
    assert not says_full("mke2fs: Permission denied")


def test_a_long_output_is_cut_and_another_way_out_is_named() -> None:
    error = disk_full("fetching x", "/cache", "a\nb\nc\nd", instead="move the cache")
    assert error.detail == "/cache\na\nb\nc"
    assert error.hint.endswith("; move the cache")


def test_no_other_module_makes_this_error_or_tests_for_it() -> None:
    found = set()
    for path in ENGINE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            made = isinstance(node, ast.keyword) and node.arg == "reason"
            if made and "disk-full" in ast.dump(node):
                found.add(str(path.relative_to(ENGINE)))
            if isinstance(node, ast.Attribute) and node.attr == "EDQUOT":
                found.add(str(path.relative_to(ENGINE)))
    assert found == {"quard/base/space.py"}
