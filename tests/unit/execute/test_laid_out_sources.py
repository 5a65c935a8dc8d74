"""quard.execute.sources: archives that are unpacked as folders of a source tree stay in it."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.execute.sources import lay_out


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "top").mkdir()
    (tmp_path / "top/file").write_text("content\n")
    with tarfile.open(tmp_path / "inner.tar", "w") as tar:
        tar.add(tmp_path / "top", "top")
    return tmp_path / "inner.tar"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    made.mkdir()
    return made


def test_a_folder_is_filled_in_a_copied_tree_and_an_empty_one_does_not_matter(
    archive: Path, tree: Path
) -> None:
    (tree / "lib/inner").mkdir(parents=True)
    lay_out({"lib/inner": archive, "new/deep": archive}, tree, lambda: None)
    assert (tree / "lib/inner/file").read_text() == "content\n"
    assert (tree / "new/deep/file").read_text() == "content\n"


@pytest.mark.parametrize("target", ["../elsewhere", "within"])
@pytest.mark.parametrize(("into", "link"), [("lib/inner", "lib"), ("a/b/c", "a/b"), ("lib", "lib")])
def test_no_link_of_a_copied_tree_is_followed(
    archive: Path, tree: Path, into: str, link: str, target: str
) -> None:
    elsewhere = tree.parent / "elsewhere"
    elsewhere.mkdir()
    (tree / "within").mkdir()
    (tree / link).parent.mkdir(exist_ok=True)
    (tree / link).symlink_to((tree / target).resolve())
    with pytest.raises(QuardError) as caught:
        lay_out({into: archive}, tree, lambda: None)
    assert caught.value.reason == "source-in-the-way"
    assert caught.value.detail == f"the source has {link} already"
    assert [*elsewhere.iterdir(), *(tree / "within").iterdir()] == []


def test_a_file_in_the_place_of_a_folder_above_is_named(archive: Path, tree: Path) -> None:
    (tree / "lib").write_text("a file\n")
    with pytest.raises(QuardError) as caught:
        lay_out({"lib/inner": archive}, tree, lambda: None)
    assert caught.value.reason == "source-in-the-way"
    assert caught.value.detail == "the source has lib already"
