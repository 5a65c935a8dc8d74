"""A package whose code is in a folder beside its recipe."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from incremental.project import Project, ok
from incremental.test_bad_input import refused

RECIPE = """\
from quard.model import Folder, Install, Make
RECIPE = Make(
    summary="the product's own program",
    version="1",
    sources=[Folder("src")],
    license="MIT",
    variables=["CC={cross}gcc"],
    make=["alone"],
    finish=[Install("alone", "usr/bin/alone", mode="0755")],
)
"""
CODE = '#include "value.h"\nint main(void) { return VALUE; }\n'
MAKEFILE = "alone: alone.o other.o\n\t$(CC) $(CFLAGS) -o $@ $^\nalone.o: value.h\n"


@pytest.fixture
def own(greeting: Project) -> Project:
    greeting.board(["alone", "libc"])
    greeting.recipe("alone").write_text(RECIPE)
    write(greeting, "Makefile", MAKEFILE)
    write(greeting, "alone.c", CODE)
    write(greeting, "other.c", "int other;\n")
    write(greeting, "value.h", "#define VALUE 0\n")
    return greeting


def write(project: Project, name: str, text: str) -> None:
    path = project.folder / "packages/alone/src" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def log(project: Project) -> str:
    return (project.folder / "out/tiny/logs/alone.log").read_text()


def test_a_change_compiles_only_what_it_affects(own: Project) -> None:
    assert ok(own.run()).built == ["alone", "libc"]
    again = ok(own.run())
    assert (again.built, again.summary["images"]) == ([], [])
    write(own, "alone.c", CODE.replace("VALUE", "VALUE + 1"))
    changed = ["the local source tree changed: alone.c changed"]
    assert own.why("alone") == changed
    ran = ok(own.run())
    assert (ran.built, ran.summary["built"][0]["why"]) == (["alone"], changed)
    assert "alone.c" in log(own) and "other.c" not in log(own)
    write(own, "value.h", "#define VALUE 1\n")
    assert ok(own.run()).built == ["alone"]
    assert "alone.c" in log(own)


def test_a_new_file_in_the_folder_is_seen(own: Project) -> None:
    ok(own.run())
    write(own, "unused.c", "int unused;\n")
    assert ok(own.run()).built == ["alone"]


def test_results_are_shared_with_other_checkouts(own: Project) -> None:
    ok(own.run())
    own.other_checkout()
    ran = ok(own.run())
    assert (ran.built, ran.summary["restored"]) == ([], ["alone", "libc"])


def test_a_board_that_names_another_source_does_not_use_the_folder(own: Project) -> None:
    files = {"Makefile": MAKEFILE, "alone.c": CODE, "other.c": "", "value.h": "#define VALUE 1\n"}
    address, sha256 = own.archive("vendor", "2", files)
    source = f'[sources.alone]\nversion = "2"\naddress = "{address}"\nsha256 = "{sha256}"'
    own.board(["alone", "libc"], source)
    assert ok(own.run()).built == ["alone", "libc"]
    write(own, "value.h", "#define VALUE 7\n")
    assert ok(own.run()).built == []
    own.other_checkout()
    assert ok(own.run()).summary["restored"] == ["alone", "libc"]


def test_a_folder_that_is_not_there_is_one_error(own: Project) -> None:
    shutil.rmtree(own.folder / "packages/alone/src")
    refused(own.run(), "missing-folder", "packages/alone has no folder src")


def test_a_patch_beside_the_folder_is_refused(own: Project) -> None:
    (own.folder / "packages/alone/0001-x.patch").write_text("")
    refused(own.run(), "patched-folder", "change the files in src instead")


def test_a_folder_outside_of_the_recipe_is_refused(own: Project) -> None:
    own.edit("packages/alone/recipe.py", 'Folder("src")', 'Folder("../src")')
    refused(own.run(), "bad-into", "must be a path below the recipe's folder")


def test_a_link_out_of_the_recipe_is_not_followed_at_any_depth(own: Project) -> None:
    folder = own.folder / "packages/alone"
    (folder / "deep").mkdir()
    (folder / "src").rename(own.folder / "elsewhere")
    (folder / "deep/src").symlink_to(own.folder / "elsewhere")
    own.edit("packages/alone/recipe.py", 'Folder("src")', 'Folder("deep/src")')
    refused(own.run("why"), "recipe-link", "deep/src is a link that points out of the recipe")
    (folder / "deep/src").unlink()
    (folder / "deep").rmdir()
    (folder / "deep").symlink_to(own.folder)
    own.edit("packages/alone/recipe.py", '"deep/src"', '"deep/elsewhere"')
    refused(own.run("why"), "recipe-link", "packages/alone/deep")


def test_an_override_comes_before_the_folder(own: Project, tmp_path: Path) -> None:
    tree = tmp_path / "checkout"
    shutil.copytree(own.folder / "packages/alone/src", tree)
    (tree / "value.h").write_text("#define VALUE 3\n")
    ok(own.run())
    assert ok(own.run(f"override.alone={tree}")).built == ["alone"]
    assert ok(own.run()).summary["restored"] == ["alone"]


def test_info_and_source_know_the_folder(own: Project) -> None:
    info = json.loads(ok(own.run("info", "alone", "FORMAT=json")).out)
    assert (info["source"], info["sha256"]) == (["packages/alone/src"], "")
    assert ok(own.run("-n", "source")).out == "all sources are in the cache\n"
