"""The digest of a folder: what a build can see changes it, what it cannot does not."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.execute.trees import IGNORED, tree_digest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "src/deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "src/main.c").write_text("int main;\n")
    (root / "src/deep/x.h").write_text("")
    (root / "configure").write_text("#!/bin/sh\n")
    (root / "configure").chmod(0o755)
    (root / "link").symlink_to("src/main.c")
    (root / "dangling").symlink_to("nothing")
    return root


def rename(old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / old).rename(root / new)


def folder_to_file(root: Path) -> None:
    (root / "empty").rmdir()
    (root / "empty").write_text("")


def relink(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("configure")


def replace_link(root: Path) -> None:
    (root / "dangling").unlink()
    (root / "dangling").write_text("nothing")


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "src/main.c").write_text("int Main;\n"),
    "executable bit on": lambda root: (root / "src/main.c").chmod(0o744),
    "executable bit off": lambda root: (root / "configure").chmod(0o644),
    "new file": lambda root: (root / "src/new").write_text(""),
    "new empty folder": lambda root: (root / "src/new").mkdir(),
    "file gone": lambda root: (root / "src/deep/x.h").unlink(),
    "empty folder gone": lambda root: (root / "empty").rmdir(),
    "renamed": rename("src/main.c", "src/Main.c"),
    "moved": rename("src/main.c", "main.c"),
    "link's target": relink,
    "link to file": replace_link,
    "folder to file": folder_to_file,
    "hidden file": lambda root: (root / ".hidden").write_text(""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_a_build_can_see_changes_the_digest(
    tree: Path, change: Callable[[Path], object]
) -> None:
    before = tree_digest(tree)
    change(tree)
    assert tree_digest(tree) != before


SAME: dict[str, Callable[[Path], object]] = {
    "time": lambda root: os.utime(root / "src/main.c", (1, 1)),
    "folder's time": lambda root: os.utime(root / "src", (1, 1)),
    "group's bits": lambda root: (root / "src/main.c").chmod(0o600),
    "folder's mode": lambda root: (root / "src").chmod(0o700),
    "what a link out of the tree leads to": lambda root: (root / "../nothing").write_text("x"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_a_build_cannot_see_does_not(tree: Path, change: Callable[[Path], object]) -> None:
    before = tree_digest(tree)
    change(tree)
    assert tree_digest(tree) == before


def test_a_copy_elsewhere_has_the_same_digest(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "copy", symlinks=True)
    assert tree_digest(tmp_path / "copy") == tree_digest(tree)


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_version_control_is_not_part_of_the_source(tree: Path, name: str) -> None:
    before = tree_digest(tree)
    (tree / name).mkdir()
    (tree / name / "HEAD").write_text("x")
    (tree / "src" / name).write_text("gitdir: elsewhere\n")
    assert tree_digest(tree) == before


def test_content_cannot_pass_for_names(tmp_path: Path) -> None:
    """Each part has its length before it, so that no two trees spell the same stream."""
    trees = []
    for number, files in enumerate(
        ({"a": "b", "c": "d"}, {"a": "bc", "d": ""}, {"ab": "", "cd": ""})
    ):
        root = tmp_path / str(number)
        root.mkdir()
        for name, text in files.items():
            (root / name).write_text(text)
        trees.append(tree_digest(root))
    assert len(set(trees)) == 3


def test_a_name_that_is_no_utf8_is_digested(tree: Path) -> None:
    before = tree_digest(tree)
    (Path(os.fsdecode(os.fsencode(tree) + b"/\xff\xfe"))).write_text("x")
    assert tree_digest(tree) != before


def test_the_digest_of_a_small_tree_is_pinned(tmp_path: Path) -> None:
    """Another value here means that every local source tree is built anew."""
    (tmp_path / "a").write_text("b")
    stream = b"1:a4:file32:" + hashlib.sha256(b"b").digest()
    assert tree_digest(tmp_path) == hashlib.sha256(stream).hexdigest()
