"""The digest of a folder: what a build can see changes it, what it cannot does not."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.base import canonical, hashes
from quard.sources.trees import IGNORED, scan, tree_digest


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
    digests = []
    for number, files in enumerate(
        ({"a": "b", "c": "d"}, {"a": "bc", "d": ""}, {"ab": "", "cd": ""})
    ):
        root = tmp_path / str(number)
        root.mkdir()
        for name, text in files.items():
            (root / name).write_text(text)
        digests.append(tree_digest(root))
    assert len(set(digests)) == 3


def test_a_name_that_is_no_utf8_is_digested(tree: Path) -> None:
    before = tree_digest(tree)
    (Path(os.fsdecode(os.fsencode(tree) + b"/\xff\xfe"))).write_text("x")
    assert tree_digest(tree) != before


def test_the_digest_of_a_small_tree_is_pinned(tmp_path: Path) -> None:
    """Another value here means that every local source tree is built anew."""
    (tmp_path / "a").write_text("b")
    stream = b"1:a4:file32:" + hashlib.sha256(b"b").digest()
    assert tree_digest(tmp_path) == hashlib.sha256(stream).hexdigest()


def old(path: Path) -> None:
    """Give a file a modification time long past; its change time is now, whatever one does."""
    os.utime(path, ns=(10**18, 10**18))


def test_a_scan_with_a_memory_gives_what_a_scan_without_one_gives(tree: Path) -> None:
    memory = tree.parent / "memory/tree.json"
    assert scan(tree, memory).digest == tree_digest(tree)
    assert scan(tree, memory).digest == tree_digest(tree)
    (tree / "src/main.c").write_text("int other;\n")
    assert scan(tree, memory).digest == tree_digest(tree)


def test_a_file_just_written_is_read_again_the_next_time(tree: Path) -> None:
    memory = tree.parent / "tree.json"
    scan(tree, memory)
    assert not memory.exists() or json.loads(memory.read_text())["files"] == {}


def test_a_file_that_rests_is_not_read_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tree.parent / "tree.json"
    monkeypatch.setattr(hashes, "GRAIN", -(10**10))
    before = scan(tree, memory)
    known = canonical.unsealed(memory.read_bytes())
    assert known and set(known["files"]) == {"configure", "src/main.c", "src/deep/x.h"}
    known["files"]["configure"][4] = "0" * 64
    memory.write_text(canonical.sealed(known))
    after = scan(tree, memory)
    assert after.entries["configure"].content == "0" * 64
    assert after.entries["src/main.c"] == before.entries["src/main.c"]


def test_an_edit_that_keeps_size_and_modification_time_is_seen(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tree.parent / "tree.json"
    monkeypatch.setattr(hashes, "GRAIN", -(10**10))
    old(tree / "src/main.c")
    scan(tree, memory)
    time.sleep(0.02)  # the clock of file systems ticks a few hundred times a second
    (tree / "src/main.c").write_text("int Main;\n")
    old(tree / "src/main.c")
    assert scan(tree, memory).digest == tree_digest(tree)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2}', canonical.sealed({"version": 2, "files": {"x": 3}})]
)
def test_a_damaged_memory_is_read_over(tree: Path, text: str) -> None:
    memory = tree.parent / "tree.json"
    memory.write_text(text)
    assert scan(tree, memory).digest == tree_digest(tree)


def test_the_memory_of_another_tree_is_not_used(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tree.parent / "tree.json"
    monkeypatch.setattr(hashes, "GRAIN", -(10**10))
    scan(tree, memory)
    known = canonical.unsealed(memory.read_bytes())
    assert known
    for stamp in known["files"].values():
        stamp[4] = "0" * 64
    memory.write_text(canonical.sealed({**known, "folder": "/somewhere/else"}))
    assert scan(tree, memory).digest == tree_digest(tree)


def test_sockets_and_pipes_are_no_part_of_a_tree(tree: Path) -> None:
    before = tree_digest(tree)
    os.mkfifo(tree / "pipe")
    assert tree_digest(tree) == before
