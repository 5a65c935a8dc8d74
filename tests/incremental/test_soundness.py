"""What must not enter a result, a cache or an image, however it is tried."""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from incremental.conftest import GREET_C, GREET_H
from incremental.project import Project
from incremental.test_modes import slow, start, wait_until_building


def blob_of(project: Project, name: str, part: str = "programs") -> Path:
    """Return the path of a part of a package in the store."""
    record = json.loads((project.folder / f"out/tiny/units/{name}.json").read_text())
    digest = record["parts"][part]
    (found,) = (project.cache / "store").rglob(digest)
    assert isinstance(found, Path)
    return found


def makefile(project: Project, name: str, text: str) -> None:
    """Give a program's package another Makefile."""
    project.source(name, {"Makefile": text, f"{name}.c": "int main(){return 0;}"})


def test_the_users_umask_shows_in_no_result(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    shutil.rmtree(greeting.folder / "out")
    greeting.cache = greeting.cache.with_name("other-cache")
    old = os.umask(0o077)
    try:
        ran = greeting.run()
    finally:
        os.umask(old)
    assert ran.status == 0, ran.text
    assert greeting.image() == before


def test_a_patch_edited_while_its_package_waits_does_not_enter_the_store(
    greeting: Project,
) -> None:
    slow(greeting, 8)
    greeting.library("greet", GREET_C, GREET_H, more='needs=("slow",),')
    note = greeting.folder / "packages/greet/note"
    note.write_text("one\n")
    greeting.board(["greet", "libc", "slow"])
    first = start(greeting)
    wait_until_building(greeting)
    note.write_text("two\n")
    out, _ = first.communicate(timeout=120)
    assert first.returncode == 2, out
    assert "reason: changed-while-building" in out
    note.write_text("one\n")
    again = greeting.run()
    assert again.status == 0, again.text
    assert "greet" in again.built


def test_a_link_made_by_a_build_leads_the_installation_nowhere_outside(greeting: Project) -> None:
    outside = greeting.folder.parent / "outside"
    outside.mkdir()
    secret = greeting.folder.parent / "secret"
    secret.write_text("not for the image\n")
    text = f"alone:\n\tln -s {outside} /quard/stage/usr\n\tln -s {secret} alone\n"
    makefile(greeting, "alone", text)
    ran = greeting.run("alone")
    assert ran.status == 2, ran.text
    assert "reason: install-failed" in ran.err
    assert list(outside.iterdir()) == []


def test_a_damaged_part_in_the_store_does_not_reach_an_image(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    blob = blob_of(greeting, "alone")
    content = bytearray(blob.read_bytes())
    content[-600] ^= 0xFF
    blob.chmod(0o644)
    blob.write_bytes(content)
    (greeting.folder / "rootfs/etc/motd").write_text("another day\n")
    mended = greeting.run()
    assert mended.status == 0, mended.text
    assert mended.built == ["alone"] and "alone" not in mended.summary["up_to_date"]
    told = [line for line in mended.out.splitlines() if line.startswith("warning: the store")]
    assert told == [
        f"warning: the store in {greeting.cache}/store is damaged: the programs part of alone"
        f" (blob {blob.name}) did not have its hash and was removed; alone is rebuilt"
    ]
    (greeting.folder / "rootfs/etc/motd").write_text("hello\n")
    greeting.run()
    assert greeting.image() == before


@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_a_damaged_store_says_once_what_it_lost_and_what_was_done(
    greeting: Project, harm: str
) -> None:
    greeting.run()
    blob = blob_of(greeting, "alone")
    blob.chmod(0o644)
    blob.unlink() if harm == "removed" else blob.write_bytes(b"damaged")
    shutil.rmtree(greeting.folder / "out")
    fault = "is missing" if harm == "removed" else "did not have its hash and was removed"
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == ["alone"]
    assert [line for line in ran.text.splitlines() if "store" in line and "warning" in line] == [
        f"warning: the store in {greeting.cache}/store is damaged: the programs part of alone"
        f" (blob {blob.name}) {fault}; alone is rebuilt"
    ]
    again = greeting.run()
    assert "damaged" not in again.text


def test_a_damaged_record_of_the_store_is_told(greeting: Project) -> None:
    greeting.run()
    for record in (greeting.cache / "store/ac").rglob("*.json"):
        if b'"name":"alone"' in record.read_bytes():
            record.write_bytes(b"{}")
            break
    shutil.rmtree(greeting.folder / "out")
    ran = greeting.run()
    assert ran.built == ["alone"]
    assert f"is damaged: the record {record.stem} cannot be read" in ran.out


def test_a_damaged_source_in_the_cache_is_told_and_fetched_again(greeting: Project) -> None:
    greeting.run()
    (source,) = greeting.cached("alone-1.tar.xz")
    source.write_bytes(b"damaged")
    ran = greeting.run("alone-rebuild")
    assert ran.status == 0, ran.text
    assert f"alone: removed {source}: it is damaged" in ran.out
    assert ran.built == ["alone"]


def test_a_lost_store_is_made_anew_by_one_run(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    shutil.rmtree(greeting.cache / "store")
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == ["alone", "greet", "hello", "libc"]
    assert greeting.image() == before


def test_a_damaged_result_file_is_made_anew(greeting: Project) -> None:
    greeting.run()
    (greeting.folder / "out/tiny/units/alone.json").write_text("")
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.summary["restored"] == ["alone"]


def test_a_result_of_an_earlier_recipe_that_is_put_back_is_not_taken(greeting: Project) -> None:
    """SCons knows of the later one only; what decides is the key that the result carries."""
    greeting.run()
    path = greeting.folder / "out/tiny/units/alone.json"
    earlier = path.read_bytes()
    greeting.board(["alone", "hello", "libc"], more='[flags]\nc = "-Os"\n')
    assert "alone" in greeting.run().built
    image = greeting.image()
    path.write_bytes(earlier)
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.summary["restored"] == ["alone"]
    assert greeting.image() == image


def test_another_mke2fs_of_the_machine_makes_its_images_anew_and_nothing_else(
    greeting: Project, tmp_path: Path
) -> None:
    """As after an upgrade: the wrapper stands for another version, with other bytes of its own."""
    greeting.board(["alone", "hello", "libc"], formats='"ext4", "squashfs"')
    found = greeting.own_engine() / "quard/image/tools.py"
    text = found.read_text()
    assert 'SEARCH = "' in text
    found.write_text(text.replace('SEARCH = "', f'SEARCH = "{tmp_path}/bin:'))
    greeting.run()
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin/mke2fs"
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("mke2fs", path="/sbin:/usr/sbin")} "$@"\n')
    wrapper.chmod(0o755)
    why = greeting.run("why")
    assert why.out.count("this machine's mke2fs changed") == 2, why.text
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == ran.summary["restored"] == []
    assert ran.summary["images"] == ["data.ext4", "rootfs.ext4"]
    assert greeting.run().summary["images"] == []


def test_an_editors_leftovers_in_a_package_rebuild_nothing(greeting: Project) -> None:
    greeting.run()
    for name in (".recipe.py.swp", "recipe.py~", "0001-x.patch.orig"):
        (greeting.folder / "packages/alone" / name).write_text("x")
    assert greeting.run().built == []


def test_an_image_that_the_board_no_longer_makes_goes(greeting: Project) -> None:
    greeting.board(["alone", "libc"], formats='"squashfs"')
    greeting.run()
    image = greeting.folder / "out/tiny/images/rootfs.squashfs"
    assert image.exists()
    greeting.board(["alone", "libc"])
    assert greeting.run().status == 0
    assert not image.exists()


def test_the_summary_calls_nothing_up_to_date_that_was_never_built(greeting: Project) -> None:
    greeting.library("greet", "broken\n", GREET_H)
    ran = greeting.run("-k")
    assert ran.status == 2
    assert ran.summary["failed"] == ["greet", "rootfs"] or ran.summary["failed"] == ["greet"]
    assert ran.summary["up_to_date"] == []


def test_a_dry_run_lists_what_it_would_build_and_leaves_the_summary_alone(
    greeting: Project,
) -> None:
    greeting.run()
    before = (greeting.folder / "out/tiny/summary.json").read_text()
    greeting.library("greet", GREET_C + "int wave(void) { return 1; }\n", GREET_H)
    ran = greeting.run("-n")
    assert ran.status == 0, ran.text
    assert re.search(r"^  build +greet ", ran.out, re.MULTILINE)
    assert (greeting.folder / "out/tiny/summary.json").read_text() == before
    assert greeting.run().built == ["greet", "hello"]


def test_help_lists_targets_and_variables(project: Project) -> None:
    ran = project.run("--help", board="")
    assert ran.status == 0, ran.text
    for word in ("./scons", "run", "NAME-rebuild", "BOARD", "FORWARD"):
        assert word in ran.out


def test_the_image_holds_what_the_packages_installed_and_owners_are_root(
    greeting: Project,
) -> None:
    greeting.run()
    with tarfile.open(greeting.folder / "out/tiny/images/rootfs.tar") as tar:
        member = tar.getmember("usr/bin/hello")
        assert (member.uid, member.gid, member.mode) == (0, 0, 0o755)
        names = tar.getnames()
    assert "usr/lib/libgreet.so.1" in names
    assert "usr/include/greet.h" not in names and "usr/lib/libgreet.so" not in names


def test_a_folder_that_cannot_be_made_is_one_block(project: Project) -> None:
    (project.folder / "out").write_text("in the way")
    ran = project.run()
    assert ran.status == 2
    assert "reason: file-system" in ran.err and "Traceback" not in ran.text
