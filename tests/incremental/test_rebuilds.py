"""What a change rebuilds: the exact set, and nothing for a change that affects nothing."""

from __future__ import annotations

import os
import shutil

from incremental.conftest import GREET_C, GREET_H, HELLO_C
from incremental.project import Project


def test_a_first_build_makes_everything_and_a_second_makes_nothing(greeting: Project) -> None:
    first = greeting.run()
    assert first.status == 0, first.text
    assert first.built == ["alone", "greet", "hello", "libc"]
    assert first.summary["images"] == ["data.ext4", "rootfs.tar", "run.sh"]
    second = greeting.run()
    assert second.status == 0, second.text
    assert second.built == [] and second.summary["images"] == []
    assert second.summary["up_to_date"] == ["alone", "greet", "hello", "libc"]
    assert "everything is up to date" in second.out


def test_a_build_loads_none_of_the_tools_that_scons_brings_and_a_null_build_no_scons(
    greeting: Project,
) -> None:
    """They would take half of the time of one, and come with the first use of an environment."""
    told = {"PYTHONPROFILEIMPORTTIME": "1"}
    loaded = greeting.run(env=told).err
    assert "SCons.Script.SConscript" in loaded
    assert "SCons.Tool.cc" not in loaded
    loaded = greeting.run(env=told).err
    assert "quard.project.build" in loaded
    assert "SCons" not in loaded
    assert "quard.recipes.lint" not in loaded


def test_touching_every_file_rebuilds_nothing(greeting: Project) -> None:
    greeting.run()
    for folder, _, names in os.walk(greeting.folder / "packages"):
        for name in names:
            os.utime(os.path.join(folder, name))
    again = greeting.run()
    assert again.built == [] and again.summary["images"] == []


def test_a_fix_inside_a_function_rebuilds_the_library_and_no_dependant(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    greeting.library(
        "greet", GREET_C.replace("return 42", "volatile int a = 42; return a"), GREET_H
    )
    after = greeting.run()
    assert after.status == 0, after.text
    assert after.built == ["greet"]
    assert "rootfs.tar" in after.summary["images"]
    assert greeting.image() != before


def test_a_new_symbol_rebuilds_the_library_and_its_dependants(greeting: Project) -> None:
    greeting.run()
    greeting.library("greet", GREET_C + "int wave(void) { return 1; }\n", GREET_H)
    assert greeting.run().built == ["greet", "hello"]


def test_a_changed_header_rebuilds_the_dependants(greeting: Project) -> None:
    greeting.run()
    greeting.library("greet", GREET_C, GREET_H + "#define GREETING 1\n")
    assert greeting.run().built == ["greet", "hello"]


def test_a_changed_program_rebuilds_itself_alone_and_says_why(greeting: Project) -> None:
    greeting.run()
    greeting.program(
        "hello", HELLO_C + "/* new */\n", "-lgreet", version="2", more='needs=("greet",),'
    )
    ran = greeting.run()
    assert ran.built == ["hello"]
    assert ran.summary["built"][0]["why"] == ["version: 1 -> 2"]


def test_a_summary_and_a_licence_rebuild_nothing(greeting: Project) -> None:
    greeting.run()
    greeting.edit("packages/hello/recipe.py", 'summary="a program"', 'summary="one program"')
    greeting.edit("packages/hello/recipe.py", 'license="MIT"', 'license="ISC"')
    again = greeting.run()
    assert again.built == [] and again.summary["images"] == []


def test_an_edited_overlay_makes_the_images_only(greeting: Project) -> None:
    greeting.run()
    (greeting.folder / "rootfs/etc/motd").write_text("good morning\n")
    ran = greeting.run()
    assert ran.built == []
    assert "rootfs.tar" in ran.summary["images"]


def test_a_reverted_change_comes_out_of_the_store(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    greeting.library("greet", GREET_C + "int wave(void) { return 1; }\n", GREET_H)
    greeting.run()
    greeting.library("greet", GREET_C, GREET_H)
    ran = greeting.run()
    assert ran.built == []
    assert ran.summary["restored"] == ["greet", "hello"]
    assert greeting.image() == before


def test_a_removed_package_leaves_no_file_in_the_image(greeting: Project) -> None:
    greeting.run()
    greeting.board(["alone", "libc"])
    ran = greeting.run()
    assert ran.built == []
    manifest = (greeting.folder / "out/tiny/images/manifest.json").read_text()
    assert "/usr/bin/alone" in manifest
    assert "hello" not in manifest and "greet" not in manifest


def test_another_checkout_with_the_same_cache_builds_nothing_and_gives_equal_bytes(
    greeting: Project,
) -> None:
    greeting.run()
    before = greeting.image()
    copy = greeting.folder.with_name("elsewhere")
    shutil.copytree(greeting.folder, copy, symlinks=True, ignore=shutil.ignore_patterns("out"))
    greeting.folder = copy
    ran = greeting.run()
    assert ran.built == []
    assert ran.summary["restored"] == ["alone", "greet", "hello", "libc"]
    assert greeting.image() == before


def test_a_build_elsewhere_with_an_empty_cache_gives_equal_bytes(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    copy = greeting.folder.with_name("elsewhere")
    shutil.copytree(greeting.folder, copy, symlinks=True, ignore=shutil.ignore_patterns("out"))
    greeting.folder, greeting.cache = copy, greeting.cache.with_name("other-cache")
    ran = greeting.run("-j1", env={"USER": "somebody", "LANG": "C.UTF-8", "CFLAGS": "-O0"})
    assert ran.built == ["alone", "greet", "hello", "libc"]
    assert greeting.image() == before
