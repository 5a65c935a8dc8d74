"""Which files for the target are a package's libs, and which are its programs."""

from pathlib import Path

import pytest
from split_parts import library, link, parts_of, program, refused, write

from quard.parts.split import Parts
from quard.store.blob import members, pack


def both(parts: Parts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the libs and the programs."""
    return parts.of_target["libs"], parts.of_target["programs"]


def test_programs_and_what_is_about_them_are_apart_from_libraries_and_what_these_open(
    stage: Path,
) -> None:
    libs = ("etc/x.conf", "usr/lib/x/plugin.so", "usr/share/x/data", "var/lib/x/state")
    programs = (
        "etc/init.d/S40x",
        "usr/bin/x",
        "usr/libexec/x/helper",
        "usr/sbin/xd",
        "usr/share/bash-completion/completions/x",
    )
    for path in (*libs, *programs):
        write(stage / path)
    library(stage / "usr/lib/libx.so.1", "libx.so.1")
    parts = parts_of(stage)
    assert both(parts)[0] == tuple(sorted((*libs, "usr/lib/libx.so.1")))
    assert both(parts)[1] == programs
    assert parts.target == tuple(sorted((*both(parts)[0], *both(parts)[1])))


def test_a_package_without_libraries_has_only_programs(stage: Path) -> None:
    for path in ("etc/x.conf", "usr/bin/x", "usr/share/x/data"):
        write(stage / path)
    (stage / "var/x").mkdir(parents=True)
    parts = parts_of(stage)
    assert both(parts)[0] == ()
    assert both(parts)[1] == ("etc/x.conf", "usr/bin/x", "usr/share/x/data", "var/x")


@pytest.mark.parametrize(
    "extra", ["usr/share/x/data", "usr/share/bash-completion/x", "etc/init.d/x"]
)
def test_a_package_without_programs_has_only_libs(stage: Path, extra: str) -> None:
    for path in ("etc/x.conf", extra, "usr/lib/x/data"):
        write(stage / path)
    write(stage / "usr/bin/x-config", "#!/bin/sh\n")  # for dependants alone
    parts = parts_of(stage)
    assert both(parts)[0] == tuple(sorted(("etc/x.conf", extra, "usr/lib/x/data")))
    assert both(parts)[1] == ()


def test_what_was_installed_outside_usr_is_divided_where_it_lies_in_the_end(stage: Path) -> None:
    program(stage / "sbin/x")
    library(stage / "lib/libx.so.1", "libx.so.1")
    parts = parts_of(stage, named={"programs": ("lib/libx.*",)})
    assert both(parts) == (
        (),
        ("usr/lib/libx.so.1", "usr/sbin/x"),
    )


def test_a_recipe_names_files_and_folders_that_are_elsewhere(stage: Path) -> None:
    for path in ("etc/a.conf", "etc/b.conf", "usr/bin/run", "usr/bin/x", "usr/share/x/deep/data"):
        write(stage / path)
    library(stage / "usr/lib/libx.so.1", "libx.so.1")
    named = {"libs": ("usr/bin/r*",), "programs": ("etc/*.conf", "usr/share/x")}
    parts = parts_of(stage, named=named)
    assert both(parts)[0] == ("usr/bin/run", "usr/lib/libx.so.1")
    assert both(parts)[1] == (
        "etc/a.conf",
        "etc/b.conf",
        "usr/bin/x",
        "usr/share/x/deep/data",
    )


def test_what_both_parts_name_goes_to_libs(stage: Path) -> None:
    for path in ("etc/x/a", "etc/x/b", "usr/bin/x", "usr/lib/x/data"):
        write(stage / path)
    parts = parts_of(stage, named={"libs": ("etc/x/a",), "programs": ("etc/*",)})
    assert both(parts)[0] == ("etc/x/a", "usr/lib/x/data")
    assert both(parts)[1] == ("etc/x/b", "usr/bin/x")


def test_files_follow_libraries_that_only_the_recipe_names_and_leave_those_it_takes_away(
    stage: Path,
) -> None:
    for path in ("etc/x.conf", "usr/bin/x", "usr/lib/x/helper"):
        write(stage / path)
    parts = parts_of(stage, named={"programs": ("usr/lib/x",)})
    assert both(parts) == (
        (),
        ("etc/x.conf", "usr/bin/x", "usr/lib/x/helper"),
    )
    parts = parts_of(stage, named={"libs": ("usr/bin/x",)})
    assert both(parts) == (
        ("etc/x.conf", "usr/bin/x", "usr/lib/x/helper"),
        (),
    )


def test_a_link_is_where_it_leads_so_that_none_dangles(stage: Path) -> None:
    write(stage / "usr/sbin/mail")
    write(stage / "usr/libexec/x/helper")
    library(stage / "usr/lib/libx.so.1", "libx.so.1")
    link(stage / "usr/lib/mail", "../sbin/mail")
    link(stage / "usr/lib/again", "mail")
    link(stage / "usr/lib/x", "../libexec/x")
    link(stage / "usr/lib/libother.so.2", "libx.so.1")
    link(stage / "usr/lib/elsewhere", "/usr/bin/of-another-package")
    link(stage / "usr/lib/circle", "circle2")
    link(stage / "usr/lib/circle2", "circle")
    link(stage / "usr/bin/tool", "../lib/libx.so.1")
    parts = parts_of(stage)
    assert both(parts)[0] == (
        "usr/lib/circle", "usr/lib/circle2", "usr/lib/elsewhere", "usr/lib/libother.so.2",
        "usr/lib/libx.so.1",
    )  # fmt: skip
    assert both(parts)[1] == (
        "usr/bin/tool", "usr/lib/again", "usr/lib/mail", "usr/lib/x", "usr/libexec/x/helper",
        "usr/sbin/mail",
    )  # fmt: skip


def test_a_folders_mode_is_in_each_part_that_has_something_in_it(stage: Path) -> None:
    write(stage / "etc/x/for-programs")
    write(stage / "etc/x/for-libs")
    write(stage / "usr/bin/x")
    library(stage / "usr/lib/libx.so.1", "libx.so.1")
    write(stage / "usr/include/secret/x.h")
    for folder in ("etc/x", "usr/include/secret"):
        (stage / folder).chmod(0o700)
    parts = parts_of(stage, named={"programs": ("etc/x/for-programs",)})
    assert both(parts)[0] == ("etc/x", "etc/x/for-libs", "usr/lib/libx.so.1")
    assert both(parts)[1] == ("etc/x", "etc/x/for-programs", "usr/bin/x")
    for part in both(parts):
        pack(stage, part, stage.parent / "blob")
        modes = {member.path: member.mode for member in members(stage.parent / "blob")}
        assert modes["etc/x"] == 0o700


def test_a_wildcard_that_matches_nothing_is_refused(stage: Path) -> None:
    write(stage / "usr/bin/x")
    write(stage / "usr/include/x.h")
    named = {"libs": ("usr/share/gone/*", "usr/bin/x"), "programs": ("usr/include/x.h",)}
    error = refused(lambda: parts_of(stage, named=named))
    assert error.reason == "part-unused"
    assert error.detail == "libs: usr/share/gone/*\nprograms: usr/include/x.h"


def test_a_part_of_the_recipes_own_is_taken_out_of_the_others(stage: Path) -> None:
    write(stage / "usr/bin/x")
    write(stage / "usr/lib/x/plugin.so")
    for name in ("libx.so.1", "liby.so.1"):
        library(stage / "usr/lib" / name, name)
    link(stage / "usr/lib/liby.so.1.0", "liby.so.1")
    parts = parts_of(stage, named={"liby": ("usr/lib/liby.so*",), "daemon": ("usr/bin/x",)})
    assert parts.of_target["liby"] == ("usr/lib/liby.so.1", "usr/lib/liby.so.1.0")
    assert parts.of_target["daemon"] == ("usr/bin/x",)
    assert both(parts) == (("usr/lib/libx.so.1", "usr/lib/x/plugin.so"), ())


def test_a_part_of_the_recipes_own_wins_and_its_folder_s_mode_is_there(stage: Path) -> None:
    write(stage / "usr/lib/x/a")
    write(stage / "usr/lib/x/b")
    (stage / "usr/lib/x").chmod(0o750)
    named = {"own": ("usr/lib/x/a",), "libs": ("usr/lib/x",), "programs": ("usr/lib/x",)}
    parts = parts_of(stage, named=named)
    assert parts.of_target["own"] == ("usr/lib/x", "usr/lib/x/a")
    assert both(parts) == (("usr/lib/x", "usr/lib/x/b"), ())
