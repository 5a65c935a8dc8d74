"""A package of an archive in which the recipe's own folders are copied as folders."""

from __future__ import annotations

import json
import shutil

import pytest

from incremental.menu import CONF, KCONFIG, MAKEFILE, RECIPE
from incremental.project import Project, ok
from incremental.test_bad_input import refused

CODE = '#include "lib/inner/value.h"\nint main(void) { return VALUE; }\n'
FOLDER = ', Folder("own", into="lib/inner")'
UNIT = "out/tiny/units/alone.json"


def write(project: Project, text: str, name: str = "value.h", package: str = "alone") -> None:
    path = project.folder / "packages" / package / "own" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def add(project: Project, package: str = "alone", folder: str = FOLDER) -> None:
    """Let a package's recipe have a folder as a further source."""
    recipe = project.recipe(package)
    text = recipe.read_text()
    start = text.index("provenance=")
    end = text.index(")", start) + 1
    text = text[:end] + folder + text[end:]
    recipe.write_text(text.replace("import ", "import Folder, ", 1))


@pytest.fixture
def inner(greeting: Project) -> Project:
    greeting.board(["alone", "libc"])
    greeting.program("alone", CODE)
    add(greeting)
    write(greeting, "#define VALUE 0\n")
    return greeting


def programs(project: Project) -> str:
    found: str = json.loads((project.folder / UNIT).read_text())["parts"]["programs"]
    return found


def test_a_change_in_the_folder_rebuilds_the_package_and_is_named(inner: Project) -> None:
    assert ok(inner.run()).built == ["alone", "libc"]
    again = ok(inner.run())
    assert (again.built, again.summary["images"]) == ([], [])
    first = programs(inner)
    write(inner, "#define VALUE 1\n")
    write(inner, "int unused;\n", "more.c")
    named = ["source in lib/inner changed: more.c added, value.h changed"]
    assert inner.why("alone") == named
    ran = ok(inner.run())
    assert (ran.built, ran.summary["built"][0]["why"]) == (["alone"], named)
    assert programs(inner) != first
    (inner.folder / "packages/alone/own/more.c").unlink()
    write(inner, "#define VALUE 0\n")
    assert ok(inner.run()).summary["restored"] == ["alone"]
    assert programs(inner) == first


def test_results_are_shared_with_other_checkouts(inner: Project) -> None:
    ok(inner.run())
    inner.other_checkout()
    ran = ok(inner.run())
    assert (ran.built, ran.summary["restored"]) == ([], ["alone", "libc"])


def test_info_names_the_folder_and_source_fetches_the_archive_alone(inner: Project) -> None:
    info = json.loads(ok(inner.run("info", "alone", "FORMAT=json")).out)
    assert info["further_sources"] == ["lib/inner: packages/alone/own"]
    assert ok(inner.run("-n", "source")).out == "sources to fetch\n  alone\n"


def test_patches_are_for_the_archive(inner: Project) -> None:
    patch = inner.folder / "packages/alone/0001-x.patch"
    patch.write_text(
        "--- a/alone.c\n+++ b/alone.c\n@@ -2 +2 @@\n"
        "-int main(void) { return VALUE; }\n+int main(void) { return VALUE + 1; }\n"
    )
    assert ok(inner.run()).built == ["alone", "libc"]
    patch.write_text("--- /dev/null\n+++ b/lib/inner/value.h\n@@ -0,0 +1 @@\n+#define VALUE 5\n")
    refused(inner.run(), "source-in-the-way", "own cannot be unpacked as lib/inner")


def test_a_folder_that_the_archive_has_already_is_not_mixed_with_it(inner: Project) -> None:
    inner.source("alone", {"lib/inner/other.h": "", "alone.c": CODE})
    refused(inner.run("alone"), "source-in-the-way", "the source has lib/inner already")


def test_a_folder_that_is_not_there_is_one_error(inner: Project) -> None:
    shutil.rmtree(inner.folder / "packages/alone/own")
    refused(inner.run(), "missing-folder", "packages/alone has no folder own")


def test_the_source_that_a_board_names_has_the_folder_in_it(inner: Project) -> None:
    ok(inner.run())
    first = programs(inner)
    makefile = "alone: alone.c\n\t$(CC) $(CFLAGS) -o $@ alone.c\n"
    files = {"Makefile": makefile, "alone.c": CODE.replace("VALUE; }", "VALUE + 2; }")}
    address, sha256 = inner.archive("vendor", "2", files)
    source = f'[sources.alone]\nversion = "2"\naddress = "{address}"\nsha256 = "{sha256}"'
    inner.board(["alone", "libc"], source)
    assert ok(inner.run()).built == ["alone"]
    before = programs(inner)
    assert before != first
    write(inner, "#define VALUE 1\n")
    assert inner.why("alone") == ["source in lib/inner changed: value.h changed"]
    assert ok(inner.run()).built == ["alone"]
    assert programs(inner) != before
    write(inner, "#define VALUE 0\n")
    inner.board(["alone", "libc"])
    assert ok(inner.run()).summary["restored"] == ["alone"]
    assert programs(inner) == first


def test_a_local_tree_replaces_the_archive_and_not_the_folder(inner: Project) -> None:
    tree = inner.folder.parent / "checkout"
    tree.mkdir()
    (tree / "alone.c").write_text(CODE.replace("VALUE; }", "VALUE + 2; }"))
    (tree / "Makefile").write_text("alone: alone.c\n\t$(CC) $(CFLAGS) -o $@ alone.c\n")
    override = f"override.alone={tree}"
    assert ok(inner.run(override)).built == ["alone", "libc"]
    first = programs(inner)
    write(inner, "#define VALUE 1\n")
    assert ok(inner.run(override)).built == ["alone"]
    assert programs(inner) != first
    (tree / "lib").mkdir()
    assert ok(inner.run(override)).built == ["alone"]
    (tree / "lib").rmdir()
    (tree / "alone.c").write_text(CODE.replace("VALUE; }", "VALUE + 3; }"))
    assert ok(inner.run(override)).built == ["alone"]
    (tree / "lib/inner").mkdir(parents=True)
    (tree / "lib/inner/value.h").write_text("#define VALUE 9\n")
    refused(inner.run(override), "source-in-the-way", "the source has lib/inner already")


def test_a_checkout_for_editing_has_the_archive_and_not_the_folder(inner: Project) -> None:
    ok(inner.run("alone-edit"))
    checkout = inner.folder / "edit/alone"
    assert not (checkout / "lib").exists()
    ok(inner.run())
    before = programs(inner)
    write(inner, "#define VALUE 4\n")
    assert ok(inner.run()).built == ["alone"]
    assert programs(inner) != before
    after = programs(inner)
    ok(inner.run("alone-patch"))
    assert ok(inner.run()).built == ["alone"]
    assert programs(inner) == after


def menu(project: Project) -> None:
    """Add a package whose make tracks everything, with a file of the recipe's own in it."""
    link = "menu: menu.o drivers/own.o\n\t$(CC) -o $@ $^\ndrivers/own.o: drivers/own.h\n"
    makefile = link + MAKEFILE[MAKEFILE.index("allnoconfig:") :]
    files = {
        "Makefile": makefile,
        "menu.c": "int own(void);\nint main(void) { return own(); }\n",
        "Kconfig": KCONFIG,
        "conf.awk": CONF,
    }
    recipe = RECIPE.replace('    fragments=("menu.fragment",),\n', "")
    project.package(recipe, "menu", "1", files)
    add(project, "menu", ', Folder("own", into="drivers")')
    write(project, '#include "own.h"\nint own(void) { return OWN; }\n', "own.c", "menu")
    write(project, "#define OWN 1\n", "own.h", "menu")


def test_a_kconfig_package_compiles_only_what_changed_in_the_folder(project: Project) -> None:
    project.board(["menu", "libc"])
    menu(project)
    ok(project.run())
    log = project.folder / "out/tiny/logs/menu.log"
    assert "menu.c" in log.read_text()
    write(project, "#define OWN 2\n", "own.h", "menu")
    assert project.why("menu") == ["source in drivers changed: own.h changed"]
    assert ok(project.run()).built == ["menu"]
    text = log.read_text()
    assert "continues in the folder of the last build" in text
    assert "own.c" in text and "menu.c" not in text
    went_on = project.image()
    project.other_machine()
    assert ok(project.run()).built == ["libc", "menu"]
    assert project.image() == went_on
