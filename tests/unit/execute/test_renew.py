"""quard.execute.renew: what a build has done to its source tree leads no update astray."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.execute.copying import copy
from quard.execute.renew import renew
from quard.sources.trees import Listing, scan


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree/sub/deep").mkdir(parents=True)
    for name in ("main.c", "sub/part.c", "sub/deep/value.h"):
        (tmp_path / "tree" / name).write_text("int first;\n")
    return tmp_path / "tree"


def built(tree: Path) -> tuple[Path, Listing]:
    """Return the folder of a build from the tree, and what it was built from."""
    old, src = scan(tree), tree.parent / "src"
    src.mkdir()
    copy(old, src)
    return src, old


Change = Callable[[Path, str], None]


def edit(tree: Path, path: str) -> None:
    (tree / path).write_text("int second;\n")


def remove(tree: Path, path: str) -> None:
    (tree / path).unlink()


def add(tree: Path, path: str) -> None:
    edit(tree, f"{path}.c")


@pytest.mark.parametrize("tracks", [False, True])
@pytest.mark.parametrize("place", ["sub", "sub/deep", ""])
@pytest.mark.parametrize("change", [edit, add, remove])
def test_a_link_in_place_of_a_folder_is_not_followed(
    tree: Path, place: str, change: Change, *, tracks: bool
) -> None:
    src, old = built(tree)
    elsewhere = tree.parent / "elsewhere"
    (src / place).rename(elsewhere)
    (src / place).symlink_to(elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, ns=(0, 0))
    change(tree, "sub/deep/value.h")
    before = scan(elsewhere)
    assert not renew(src, old.entries, scan(tree), tracks=tracks)
    assert scan(elsewhere) == before
    assert all(path.stat().st_mtime_ns == 0 for path in elsewhere.rglob("*"))


def test_a_link_in_a_place_that_no_change_concerns_does_not_matter(tree: Path) -> None:
    src, old = built(tree)
    (src / "sub/deep").rename(src / "moved")
    (src / "sub/deep").symlink_to("../moved")
    edit(tree, "main.c")
    assert renew(src, old.entries, scan(tree), tracks=False)
    assert (src / "main.c").read_text() == "int second;\n"


@pytest.mark.parametrize("gone", ["sub", "sub/part.c"])
def test_what_the_build_has_removed_starts_it_from_nothing(tree: Path, gone: str) -> None:
    src, old = built(tree)
    if (src / gone).is_dir():
        shutil.rmtree(src / gone)
    else:
        (src / gone).unlink()
    edit(tree, "sub/deep/value.h")
    assert not renew(src, old.entries, scan(tree), tracks=False)


def test_a_link_that_the_build_left_in_place_of_a_unit_is_not_followed(tree: Path) -> None:
    src, old = built(tree)
    (src / "sub/part.c").rename(tree.parent / "elsewhere.c")
    (src / "sub/part.c").symlink_to(tree.parent / "elsewhere.c")
    os.utime(tree.parent / "elsewhere.c", ns=(0, 0))
    edit(tree, "sub/deep/value.h")
    assert renew(src, old.entries, scan(tree), tracks=False)
    assert (tree.parent / "elsewhere.c").stat().st_mtime_ns == 0


def test_a_folder_of_the_tree_that_was_a_link_is_filled(tree: Path) -> None:
    (tree / "other").symlink_to("sub")
    src, old = built(tree)
    (tree / "other").unlink()
    (tree / "other").mkdir()
    edit(tree, "other/new.c")
    assert renew(src, old.entries, scan(tree), tracks=True)
    assert (src / "other/new.c").read_text() == "int second;\n"
    assert not (src / "sub/new.c").exists()
