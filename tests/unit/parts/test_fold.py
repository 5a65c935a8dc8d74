"""Top-level folders that move below usr, and the links that lead there."""

import os
from pathlib import Path

import pytest
from split_parts import library, link, parts_of, program, refused, write


def test_top_level_folders_move_below_usr_and_links_follow(stage: Path) -> None:
    program(stage / "bin/busybox")
    library(stage / "lib/libx.so.1", "libx.so.1")
    library(stage / "usr/lib64/liby.so.1", "liby.so.1")
    write(stage / "lib64/data/file")
    link(stage / "sbin/init", "../bin/busybox")
    link(stage / "linuxrc", "bin/busybox")
    link(stage / "usr/bin/sh", "../../bin/busybox")
    link(stage / "usr/lib/libx.so", "../../lib/libx.so.1")
    link(stage / "usr/lib64/liby.so", "liby.so.1")
    link(stage / "lib64/up", "../etc/file")
    link(stage / "usr/lib/libz.so", "/lib/libx.so.1")
    link(stage / "etc/mtab", "/proc/self/mounts")
    link(stage / "etc/out", "../../../../run/x")
    parts_of(stage)
    links = {
        str(path.relative_to(stage)): str(path.readlink())
        for path in stage.rglob("*")
        if path.is_symlink()
    }
    assert links == {
        "usr/sbin/init": "../bin/busybox",
        "linuxrc": "usr/bin/busybox",
        "usr/bin/sh": "busybox",
        "usr/lib/libx.so": "libx.so.1",
        "usr/lib/liby.so": "liby.so.1",
        "usr/lib/up": "../../etc/file",
        "usr/lib/libz.so": "libx.so.1",
        "etc/mtab": "/proc/self/mounts",
        "etc/out": "../run/x",
    }
    assert sorted(path.name for path in stage.iterdir()) == ["etc", "linuxrc", "usr"]
    assert (stage / "usr/lib/data/file").exists()


def test_links_that_only_join_the_folders_go(stage: Path) -> None:
    program(stage / "usr/bin/tool")
    library(stage / "usr/lib/libx.so.1", "libx.so.1")
    link(stage / "bin", "usr/bin")
    link(stage / "lib", "/usr/lib")
    link(stage / "lib64", "lib")
    link(stage / "usr/lib64", "lib")
    link(stage / "sbin/tool", "../usr/sbin/tool")
    assert parts_of(stage).target == ("usr/bin/tool", "usr/lib/libx.so.1", "usr/sbin")


def test_two_files_at_one_place_are_refused(stage: Path) -> None:
    write(stage / "bin/tool", "one")
    write(stage / "usr/bin/tool", "two")
    error = refused(lambda: parts_of(stage))
    assert error.reason == "file-collision"
    assert "bin/tool" in error.message
    assert "usr/bin/tool" in error.message


def test_a_file_meets_a_link_elsewhere(stage: Path) -> None:
    write(stage / "bin/tool", "one")
    link(stage / "usr/bin/tool", "other")
    assert refused(lambda: parts_of(stage)).reason == "file-collision"


def test_a_link_to_the_moved_file_itself_gives_way(stage: Path) -> None:
    write(stage / "bin/tool", "one")
    link(stage / "usr/bin/tool", "../../bin/tool")
    assert parts_of(stage).target == ("usr/bin/tool",)
    assert (stage / "usr/bin/tool").read_text() == "one"


@pytest.mark.parametrize("folder", ["/quard/stage", "STAGE"])
def test_links_that_name_the_staging_folder_mean_what_is_installed(
    stage: Path, folder: str
) -> None:
    folder = folder.replace("STAGE", str(stage))
    library(stage / "usr/lib/libx.so.1", "libx.so.1")
    link(stage / "lib/libx.so", f"{folder}/usr/lib/libx.so.1")
    link(stage / "etc/mtab", f"{folder}//proc/self/mounts")
    link(stage / "etc/top", folder)
    parts_of(stage)
    found = [str((stage / p).readlink()) for p in ("usr/lib/libx.so", "etc/mtab", "etc/top")]
    assert found == ["libx.so.1", "/proc/self/mounts", "/"]


def test_links_into_the_build_and_collisions_are_refused_all_at_once(stage: Path) -> None:
    link(stage / "usr/lib/libx.so", "/quard/sysroot/usr/lib/libx.so.1")
    link(stage / "etc/y", "/quard/stage/../sysroot/etc/y")
    for name in ("a", "b"):
        write(stage / f"bin/{name}", "one")
        write(stage / f"usr/bin/{name}", "two")
    error = refused(lambda: parts_of(stage))
    assert error.reason == "stage-link"
    assert error.message == "4 errors in the package"
    for text in ("usr/lib/libx.so", "etc/y", "bin/a and usr/bin/a", "bin/b and usr/bin/b"):
        assert text in error.detail


@pytest.mark.parametrize("target", ["././tool", ".//tool", "../bin//tool", "/run/./x/"])
def test_a_target_that_stays_right_is_kept_as_it_is(stage: Path, target: str) -> None:
    write(stage / "usr/bin/tool")
    link(stage / "usr/bin/other", target)
    parts_of(stage)
    assert os.readlink(stage / "usr/bin/other") == target
