"""Patches that a product tree adds to packages of other trees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from git_parts import WorkTree

from incremental.menu import menu
from incremental.project import Project, Ran, ok
from incremental.test_bad_input import refused

FIRST = """\
the answer is one more

--- a/greet.c
+++ b/greet.c
@@ -1,2 +1,2 @@
 #include "greet.h"
-int greet(void) { return 42; }
+int greet(void) { return 43; }
"""
SECOND = FIRST.replace("43", "44").replace("42", "43").replace("one", "another")
BOTH = ["0001-one.patch", "acme:0001-another.patch"]


class Product:
    """The project `greeting`, whose library has a patch, and a product that adds one."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.folder.parent / "product"
        self.added = self.folder / "packages/greet"
        self.added.mkdir(parents=True)
        self.own = project.folder / "packages/greet"
        (self.folder / "quardroot.toml").write_text('name = "acme"\n')
        (self.own / "0001-one.patch").write_text(FIRST)
        (self.added / "0001-another.patch").write_text(SECOND)

    def run(self, *arguments: str) -> Ran:
        return self.project.run(f"trees.paths={self.folder}", *arguments)

    def code(self) -> str:
        """Return the code of the library as a build has it."""
        ok(self.run("greet-edit"))
        text = (self.project.folder / "edit/greet/greet.c").read_text()
        shutil.rmtree(self.project.folder / "edit/greet")
        return text

    def why(self) -> list[str]:
        rows = json.loads(ok(self.run("why", "FORMAT=json")).out)["now"]["packages"]
        return [text for row in rows if row["name"] == "greet" for text in row["why"]]


@pytest.fixture
def product(greeting: Project) -> Product:
    return Product(greeting)


def test_they_are_applied_after_those_of_the_recipe(product: Product) -> None:
    assert "44" in product.code()
    info = json.loads(ok(product.run("info", "greet", "FORMAT=json")).out)
    assert (info["patches"], info["tree"]) == (BOTH, "quardroot")
    assert "greet" in ok(product.run()).built


def test_a_change_of_them_rebuilds_the_package_and_no_other(product: Product) -> None:
    ok(product.run())
    assert ok(product.run()).built == []
    path = product.added / "0001-another.patch"
    path.write_text(SECOND.replace("44", "45"))
    assert product.why() == ["patch acme:0001-another.patch changed"]
    assert ok(product.run()).built == ["greet"]
    path.unlink()
    path.parent.rmdir()
    assert product.why() == ["patch acme:0001-another.patch removed"]


def test_a_fragment_is_laid_over_those_of_the_recipe(product: Product) -> None:
    menu(product.project, "CONFIG_NET=y\nCONFIG_INET=y\n")
    product.project.board(["libc", "menu"])
    added = product.folder / "packages/menu"
    added.mkdir()
    (added / "acme.fragment").write_text("# CONFIG_INET is not set\nCONFIG_DEBUG=y\n")
    ok(product.run("menu"))
    lines = json.loads(ok(product.run("menu-diffconfig", "FORMAT=json")).out)["changes"]
    assert lines == []
    config = (product.project.folder / "out/tiny/configure/menu/src/.config").read_text()
    assert "# CONFIG_INET is not set\n" in config and "CONFIG_DEBUG=y\n" in config
    (added / "acme.fragment").write_text("CONFIG_DEBUG=y\n")
    rows = json.loads(ok(product.run("why", "FORMAT=json")).out)["now"]["packages"]
    (why,) = [row["why"] for row in rows if row["name"] == "menu"]
    assert why[0] == "file acme:acme.fragment changed"


def test_a_patch_that_does_not_apply_names_its_tree(product: Product) -> None:
    (product.added / "0001-another.patch").write_text(FIRST)
    refused(product.run(), "patch-failed", "patch acme:0001-another.patch does not apply")


def test_a_package_that_no_earlier_tree_has_is_an_error(product: Product) -> None:
    product.added.rename(product.folder / "packages/gret")
    ran = product.run("list")
    refused(ran, "unknown-package", "'gret'", "did you mean 'greet'?")


def test_other_files_cannot_be_added(product: Product) -> None:
    (product.added / "x.fragment").write_text("")
    refused(
        product.run(),
        "bad-extension",
        "acme:packages/greet/x.fragment",
        "is not configured by Kconfig",
    )
    (product.added / "x.fragment").rename(product.added / "run.sh")
    refused(product.run(), "bad-extension", "acme:packages/greet/run.sh", "only patches and")


def test_a_link_out_of_the_folder_is_an_error(product: Product, tmp_path: Path) -> None:
    (product.added / "2.patch").symlink_to(tmp_path / "x")
    refused(product.run(), "recipe-link", "acme:packages/greet/2.patch")


def test_a_folder_without_any_is_not_looked_at(product: Product) -> None:
    (product.folder / "packages/notes").mkdir()
    (product.folder / "packages/notes/README").write_text("x\n")
    ok(product.run("list"))


def test_new_commits_become_patches_of_the_tree_that_is_named(product: Product) -> None:
    shutil.rmtree(product.added)
    ok(product.run("greet-edit"))
    git = WorkTree(product.project.folder / "edit/greet")
    git.commit({"new.h": "\n"})
    refused(product.run("greet-patch", "TREE=acne"), "unknown-tree", "did you mean 'acme'?")
    assert "acme:0001-change.patch written" in ok(product.run("greet-patch", "TREE=acme")).out
    assert [path.name for path in product.added.iterdir()] == ["0001-change.patch"]
    assert [path.name for path in product.own.glob("*.patch")] == ["0001-one.patch"]
    ok(product.run())
    ok(product.run("greet-edit"))
    git.run("reset", "--quiet", "--hard", "HEAD~1")
    ok(product.run("greet-patch"))
    assert not product.added.exists()


def test_without_a_tree_the_one_of_the_last_patch_gets_them(product: Product) -> None:
    ok(product.run("greet-edit"))
    WorkTree(product.project.folder / "edit/greet").commit({"new.h": "\n"})
    ok(product.run("greet-patch"))
    assert sorted(path.name for path in product.added.iterdir()) == [
        "0001-another.patch",
        "0002-change.patch",
    ]


def test_a_commit_before_another_trees_patches_is_refused_there(product: Product) -> None:
    ok(product.run("greet-edit"))
    WorkTree(product.project.folder / "edit/greet").commit({"new.h": "\n"})
    ran = product.run("greet-patch", "TREE=quardroot")
    refused(ran, "not-as-patches", "comes after a patch of the tree acme", "TREE=acme")
