"""A root's files as a folder, and what scripts have changed there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.image.content import Content
from quard.image.hooked import Folder
from quard.image.tree import Node, Origin, Tree

PACKAGE = Origin("package", "p")
HOOK = Origin("hook", "post-root")


def file(text: str, mode: int = 0o644, uid: int = 0) -> Node:
    return Node("file", mode, uid=uid, content=Content(len(text), text.encode()))


@pytest.fixture
def tree() -> Tree:
    found = Tree()
    twice = file("twice", uid=7)
    for path, node in {
        "dev": Node("directory", 0o755),
        "dev/null": Node("char", 0o666, device=(1, 3)),
        "etc": Node("directory", 0o555),
        "etc/one": file("one", 0o4711, uid=5),
        "etc/secret": file("secret", 0o000),
        "etc/link": Node("link", 0o777, target="one"),
        "a": twice,
        "b": twice,
    }.items():
        found.add(path, node, PACKAGE)
    return found


def changed(tree: Tree, folder: Path, change: Callable[[Path], object]) -> list[str]:
    """Change the folder of a tree and take it over; return the messages of errors."""
    laid = Folder(tree, folder)
    change(folder)
    return [error.message for error in laid.take(HOOK)]


def test_nothing_is_lost_where_nothing_is_changed(tree: Tree, tmp_path: Path) -> None:
    before = dict(tree.nodes)
    assert changed(tree, tmp_path, lambda _: None) == []
    assert tree.nodes == before, "the same nodes, as they are compared by identity"
    assert {*tree.owners.values()} == {PACKAGE}


def test_a_changed_file_keeps_its_owner_and_its_bits(tree: Tree, tmp_path: Path) -> None:
    assert changed(tree, tmp_path, lambda f: (f / "etc/one").write_text("two")) == []
    node = tree.nodes["etc/one"]
    assert node.content is not None and node.content.read() == b"two"
    assert (node.mode, node.uid) == (0o4711, 5)
    assert (tree.owners["etc/one"], tree.replaced) == (HOOK, {"etc/one": "p"})


def test_another_mode_is_taken_as_it_is(tree: Tree, tmp_path: Path) -> None:
    changed(tree, tmp_path, lambda f: (f / "etc/one").chmod(0o640))
    assert (tree.nodes["etc/one"].mode, tree.nodes["etc/one"].uid) == (0o640, 5)


def test_what_our_user_may_not_read_is_taken_whole(tree: Tree, tmp_path: Path) -> None:
    def close(folder: Path) -> None:
        (folder / "etc/secret").write_text("other")
        for path in ("etc/secret", "a", "etc", ""):
            (folder / path).chmod(0)

    names = {*tree.nodes}
    assert changed(tree, tmp_path, close) == []
    assert {*tree.nodes} == names
    node = tree.nodes["etc/secret"]
    assert (node.mode, tree.nodes["etc"].mode) == (0, 0)
    assert tree.nodes["a"] is tree.nodes["b"] and tree.nodes["a"].mode == 0
    assert node.content is not None and node.content.read() == b"other"
    # root, who runs these tests on some machines, can read everything.
    for path, mode in {"etc/secret": 0o400, "a": 0o400, "etc": 0o700, "": 0o700}.items():
        assert (tmp_path / path).stat().st_mode & 0o777 == mode, path


def test_a_file_with_two_names_stays_one(tree: Tree, tmp_path: Path) -> None:
    def append(folder: Path) -> None:
        with (folder / "a").open("a") as opened:
            opened.write("!")

    changed(tree, tmp_path, append)
    assert tree.nodes["a"] is tree.nodes["b"]
    assert tree.nodes["a"].uid == 7


def test_one_of_two_names_may_become_another_file(tree: Tree, tmp_path: Path) -> None:
    def replace(folder: Path) -> None:
        (folder / "new").write_text("other")
        (folder / "new").rename(folder / "a")

    before = tree.nodes["b"]
    changed(tree, tmp_path, replace)
    assert tree.nodes["b"] is before and tree.nodes["a"] is not before


def test_a_folder_with_a_device_stays(tree: Tree, tmp_path: Path) -> None:
    changed(tree, tmp_path, lambda f: (f / "dev").rmdir())
    assert tree.nodes["dev/null"].kind == "char" and tree.nodes["dev"].kind == "directory"


def test_what_is_removed_is_gone_with_all_below_it(tree: Tree, tmp_path: Path) -> None:
    def remove(folder: Path) -> None:
        for name in ("one", "secret", "link"):
            (folder / "etc" / name).unlink()
        (folder / "etc").rmdir()

    changed(tree, tmp_path, remove)
    assert sorted(tree.nodes) == ["a", "b", "dev", "dev/null"] == sorted(tree.owners)


def test_a_path_may_get_another_kind(tree: Tree, tmp_path: Path) -> None:
    def turn(folder: Path) -> None:
        (folder / "etc/one").unlink()
        (folder / "etc/one").mkdir()
        (folder / "etc/one/inner").write_text("x")
        (folder / "etc/link").unlink()
        (folder / "etc/link").symlink_to("secret")

    assert changed(tree, tmp_path, turn) == []
    assert (tree.nodes["etc/one"].kind, tree.nodes["etc/one"].uid) == ("directory", 0)
    assert tree.nodes["etc/one/inner"].kind == "file"
    assert tree.nodes["etc/link"].target == "secret"


def test_names_that_no_image_has_are_refused(tree: Tree, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff")
    (message,) = changed(tree, tmp_path, lambda f: (f / name).touch())
    assert "hook post-root has the file name" in message
