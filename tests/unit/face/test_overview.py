"""Answers about boards and all trees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recipe_parts import add, feature

from quard.base.errors import QuardError
from quard.boards.trees import Trees
from quard.face import cli, overview
from quard.recipes.catalog import Catalog

BOARD = 'summary = "One"\ntarget = "riscv64-linux-gnu"\nmachine = "virt"\npackages = ["app"]\n'
WIDGET = """\
include = ["one"]
summary = "A widget"
packages.add = ["tool"]
features.app.net = false
fragments.linux = ["a.fragment"]
services.tool = false
login.authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me"]
[[unhardened]]
path = "/opt/bought"
lacks = ["pie", "relro"]
reason = "bought"
[hooks]
post_image = ["hooks/sum.sh"]
outputs = ["SUM"]
[roots.early]
packages = []
"""


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    """Return Quardroot's own tree and the product tree `acme`, each with a board and a package."""
    for name, text in (("own/configs/one", BOARD), ("acme/configs/widget", WIDGET)):
        file = tmp_path / f"{name}.toml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    add(tmp_path / "own/packages", "app", features=feature("net", default="True"))
    add(tmp_path / "acme/packages", "tool", version='"10.2"', summary='"Our tool"')
    return Trees(tmp_path / "own", {"acme": tmp_path / "acme"})


def text(trees: Trees, *words: str, **variables: str) -> str:
    catalog = Catalog(trees.own / "packages", more=trees.folders("packages"))
    command = cli.parse(words, {"BOARD": "one", **variables}, catalog.names())
    return overview.answer(command, trees, catalog)


def data(trees: Trees, *words: str, **variables: str) -> Any:
    return json.loads(text(trees, *words, FORMAT="json", **variables))


def test_boards_are_those_of_all_trees(trees: Trees) -> None:
    assert text(trees, "boards") == (
        "one     quardroot  riscv64-linux-gnu  One\n"
        "widget  acme       riscv64-linux-gnu  A widget\n"
    )
    assert data(trees, "boards")[1] == {
        "name": "widget",
        "tree": "acme",
        "file": "acme:configs/widget.toml",
        "target": "riscv64-linux-gnu",
        "machine": "virt",
        "summary": "A widget",
    }


def test_a_board_that_cannot_be_read_hides_no_other_one(trees: Trees) -> None:
    trees.path("configs/bad.toml").write_text("summary = 3\n")
    assert text(trees, "boards").splitlines()[0].split(None, 3) == [
        "bad",
        "quardroot",
        "-",
        "configs/bad.toml: target is missing",
    ]
    rows = data(trees, "boards")
    assert [row["name"] for row in rows] == ["bad", "one", "widget"]
    assert rows[0]["reason"] == "bad-board"


def test_packages_are_those_of_all_trees_with_what_is_optional(trees: Trees) -> None:
    assert text(trees, "packages") == (
        "app   1.0   quardroot  A thing [+net]\ntool  10.2  acme       Our tool\n"
    )
    assert data(trees, "packages")[0]["features"] == [
        {"name": "net", "summary": "a choice", "default": True}
    ]


def test_a_board_is_shown_with_all_that_it_includes(trees: Trees) -> None:
    found = data(trees, "info", BOARD="widget")
    assert found["includes"] == ["configs/one.toml"]
    assert found["packages"] == ["app", "tool"]
    assert found["features"] == {"app.net": "off"}
    assert found["fragments"] == {"linux": ["acme:a.fragment"]}
    assert (found["tree"], found["file"]) == ("acme", "acme:configs/widget.toml")
    assert found["roots"]["early"]["formats"] == ["cpio.gz"]
    assert found["hooks"]["post_image"] == ["acme:hooks/sum.sh"]
    assert found["roots"]["early"]["hooks"] == {}
    assert found["login"] == {
        "root_password": "*",
        "authorized_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me"],
    }
    assert found["unhardened"] == [
        {"path": "/opt/bought", "lacks": ["pie", "relro"], "reason": "bought"}
    ]
    lines = text(trees, "info", BOARD="widget").splitlines()
    for line in (
        "summary: A widget",
        "packages: app tool",
        "fragments.linux: acme:a.fragment",
        "hardening.pie: yes",
        "hardening.fortify: 3",
        "size_mib: 0",
        "services.tool: no",
        "unhardened[0].lacks: pie relro",
        "unhardened[0].reason: bought",
        "login.root_password: *",
        "login.authorized_keys[0]: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me",
        "hooks.post_image: acme:hooks/sum.sh",
        "hooks.outputs: SUM",
        "hooks.tools: -",
        "roots.early.packages: -",
        "roots.early.hooks: -",
    ):
        assert line in lines


def test_an_unknown_board_has_no_answer(trees: Trees) -> None:
    with pytest.raises(QuardError) as caught:
        text(trees, "info", BOARD="wdget")
    assert (caught.value.reason, caught.value.hint) == ("unknown-board", "did you mean 'widget'?")


def test_without_packages_there_is_no_line(tmp_path: Path) -> None:
    assert text(Trees(tmp_path), "packages") == ""
    assert text(Trees(tmp_path), "boards") == ""


def test_completion_scripts_are_printed(trees: Trees) -> None:
    assert "complete " in text(trees, "bash-completion")
    assert "compdef " in text(trees, "zsh-completion")
