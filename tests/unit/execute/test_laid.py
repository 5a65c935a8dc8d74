"""quard.execute.laid: updating the recipe's own folders in a tree that was built before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quard.execute import laid
from quard.execute.copying import copy
from quard.execute.inputs import BuildInputs
from quard.sources.trees import Entry, scan


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A local tree with an empty folder, in which a folder of the recipe has its place."""
    (tmp_path / "tree/lib").mkdir(parents=True)
    (tmp_path / "tree/main.c").write_text("int main;\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/value.h").write_text("#define VALUE 0\n")
    (tmp_path / "elsewhere/inner").mkdir(parents=True)
    return tmp_path / "tree"


def inputs(tree: Path) -> BuildInputs:
    return BuildInputs(
        archives={},
        upstream=False,
        tree=scan(tree),
        folders={"lib/inner": scan(tree.parent / "own")},
        kept=None,
        read=lambda _: b"",
        lay_out=lambda _: None,
        compiled=False,
        made=lambda: None,
    )


def built(tree: Path) -> tuple[Path, dict[str, Entry]]:
    """Return the folder of a build from the tree, and the entries that it was built from."""
    given, src = inputs(tree), tree.parent / "src"
    src.mkdir()
    assert given.tree
    copy(given.tree, src)
    laid.lay_out(given.folders, src)
    entries = dict(given.tree.entries)
    for into, listing in given.folders.items():
        entries |= {f"{into}/{path}": entry for path, entry in listing.entries.items()}
    return src, entries


def test_a_change_of_the_folder_is_copied_into_the_kept_tree(tree: Path) -> None:
    src, kept = built(tree)
    (tree.parent / "own/value.h").write_text("#define VALUE 1\n")
    (tree / "main.c").write_text("long main;\n")
    assert laid.update(src, kept, inputs(tree), tracks=True)
    assert (src / "lib/inner/value.h").read_text() == "#define VALUE 1\n"
    assert (src / "main.c").read_text() == "long main;\n"


@pytest.mark.parametrize("tracks", [False, True])
@pytest.mark.parametrize("target", ["../elsewhere", "nowhere"])
def test_a_link_in_place_of_a_folder_above_is_not_followed(
    tree: Path, target: str, *, tracks: bool
) -> None:
    src, kept = built(tree)
    (tree / "lib").rmdir()
    (tree / "lib").symlink_to(target)
    (tree.parent / "own/value.h").write_text("#define VALUE 1\n")
    assert not laid.update(src, kept, inputs(tree), tracks=tracks)
    assert (src / "lib/inner/value.h").read_text() == "#define VALUE 0\n"
    assert [*(tree.parent / "elsewhere/inner").iterdir()] == []


def test_a_file_in_place_of_a_folder_above_lets_the_build_start_again(tree: Path) -> None:
    src, kept = built(tree)
    shutil.rmtree(tree / "lib")
    (tree / "lib").write_text("a file\n")
    assert not laid.update(src, kept, inputs(tree), tracks=True)
    assert (src / "lib/inner/value.h").is_file()


@pytest.mark.parametrize("place", ["lib", "lib/inner", ""])
def test_a_link_that_the_build_left_in_place_of_a_folder_is_not_followed(
    tree: Path, place: str
) -> None:
    src, kept = built(tree)
    elsewhere = tree.parent / "elsewhere"
    (src / place).rename(elsewhere / "moved")
    (src / place).symlink_to(elsewhere / "moved")
    before = scan(elsewhere)
    (tree.parent / "own/value.h").write_text("#define VALUE 1\n")
    assert not laid.update(src, kept, inputs(tree), tracks=True)
    assert scan(elsewhere) == before
