"""The names of files in trees, and which tree's file is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards.trees import Trees, placed


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    """Return Quardroot's own tree `own` and the product trees `acme` and `line`."""
    for name in ("own", "acme", "line"):
        (tmp_path / name / "configs").mkdir(parents=True)
    return Trees(tmp_path / "own", {name: tmp_path / name for name in ("acme", "line")})


@pytest.mark.parametrize(
    ("tree", "written", "name"),
    [
        ("", "rootfs", "rootfs"),
        ("acme", "rootfs", "acme:rootfs"),
        ("acme", "line:rootfs/a", "line:rootfs/a"),
        ("acme", "quardroot:rootfs", "rootfs"),
        ("", "acme:rootfs", "acme:rootfs"),
        ("", "quardroot:rootfs", "rootfs"),
    ],
)
def test_a_path_is_in_the_tree_of_its_file_or_in_the_one_that_it_names(
    tree: str, written: str, name: str
) -> None:
    assert placed(tree, written) == name


def test_a_name_leads_to_the_folder_of_its_tree(trees: Trees, tmp_path: Path) -> None:
    assert trees.path("rootfs/etc") == tmp_path / "own/rootfs/etc"
    assert trees.path("line:rootfs/etc") == tmp_path / "line/rootfs/etc"


def test_a_tree_that_nobody_named_is_an_error_with_the_known_ones(trees: Trees) -> None:
    with pytest.raises(QuardError) as caught:
        trees.path("acne:rootfs")
    assert caught.value.reason == "unknown-tree"
    assert caught.value.detail == "known: quardroot, acme, line"
    assert caught.value.hint == "did you mean 'acme'?"


def test_the_file_of_the_last_tree_that_has_it_is_used(trees: Trees, tmp_path: Path) -> None:
    assert trees.find("configs/a.toml") == "configs/a.toml"
    (tmp_path / "acme/configs/a.toml").touch()
    (tmp_path / "own/configs/a.toml").touch()
    assert trees.find("configs/a.toml") == "acme:configs/a.toml"
    (tmp_path / "line/configs/a.toml").symlink_to("nowhere")
    assert trees.find("configs/a.toml") == "line:configs/a.toml"


def test_names_are_those_of_all_trees_each_once_and_sorted(trees: Trees, tmp_path: Path) -> None:
    for path in ("own/configs/b.toml", "acme/configs/a.toml", "line/configs/b.toml"):
        (tmp_path / path).touch()
    (tmp_path / "line/configs/b.fragment").touch()
    assert trees.names("configs", ".toml") == ("a", "b")
    assert trees.names("qemu", ".toml") == ()


def test_folders_of_product_trees_are_in_the_order_of_the_settings(
    trees: Trees, tmp_path: Path
) -> None:
    assert [*trees.folders("packages").items()] == [
        ("acme", tmp_path / "acme/packages"),
        ("line", tmp_path / "line/packages"),
    ]
