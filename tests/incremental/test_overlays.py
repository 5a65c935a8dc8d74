"""Overlays from end to end: what is read, what is refused before anything is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

from incremental.initramfs import bootable
from incremental.project import Project
from quard.base import canonical
from quard.plan.image import VERSION

GIB = 1 << 30
MOST_MIB = 90
"""Memory of a build, whatever the overlay holds."""
MEASURING = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A small process between: a peak counts the memory of the process that was forked."""


def peak_mib(project: Project) -> int:
    """Run a build and return the most memory that it had."""
    done = subprocess.run(
        (sys.executable, "-c", MEASURING, *project.command()),
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1]) // 1024


def test_a_file_of_any_size_is_never_in_memory_and_read_once(project: Project) -> None:
    project.board(["libc"], formats='"ext4", "squashfs"')
    big = project.folder / "rootfs/big"
    with big.open("wb") as file:
        file.write(b"begin")
        file.truncate(GIB)
    with (project.folder / "rootfs/full").open("wb") as file:
        for _ in range(160):
            file.write(b"x" * (1 << 20))
    assert peak_mib(project) < MOST_MIB
    images = project.folder / "out/tiny/images"
    for name in ("rootfs.tar", "rootfs.ext4", "rootfs.squashfs"):
        assert (images / name).stat().st_size < GIB // 4
    memory = project.folder / "out/tiny/overlays/rootfs.json"
    time.sleep(2.1)  # what is younger is read again: the clock of a file system may be so coarse
    assert project.run().summary["built"] == []
    before = memory.read_bytes()
    known = canonical.unsealed(before)
    assert known and known["files"]["big"][0] == GIB
    assert peak_mib(project) < MOST_MIB
    assert memory.read_bytes() == before


def test_everything_wrong_with_an_overlay_is_told_before_anything_is_built(
    greeting: Project,
) -> None:
    rootfs = greeting.folder / "rootfs"
    wrong = {
        "etc/init.d/S70mine": "#!/bin/sh\n",
        "etc/fstab": "# x\r\n",
        "etc/hostname": "mine\n",
        "bin/tool": "#!/usr/bin/false\r\n",
    }
    for name, text in wrong.items():
        (rootfs / name).parent.mkdir(parents=True, exist_ok=True)
        (rootfs / name).write_text(text, newline="")
    (rootfs / "bin/tool").chmod(0o4755)
    ran = greeting.run()
    assert ran.status == 2
    assert not (greeting.folder / "out/tiny/units").exists()
    assert "reason: file-collision" in ran.err and "`hostname` in the board's file" in ran.err
    assert "Traceback" not in ran.text
    for text in ("S70mine", "/etc/fstab", "/usr/bin/tool", "4755", "not-executable", "line-ends"):
        assert text in ran.err, ran.err
    for name in wrong:
        (rootfs / name).unlink(missing_ok=True)
    assert greeting.run().status == 0


def test_a_file_that_a_format_cannot_hold_leaves_the_images_as_they_are(project: Project) -> None:
    project.board(["libc"], formats='"ext4", "cpio.gz"')
    bootable(project)
    assert project.run().status == 0
    images = project.folder / "out/tiny/images"
    before = {path.name: path.read_bytes() for path in images.iterdir()}
    big = project.folder / "rootfs/big"
    with big.open("wb") as file:
        file.truncate(4200 << 20)
    ran = project.run()
    assert ran.status == 2
    assert "/big is too big for cpio.gz" in ran.err and "ext4 can hold it" in ran.err
    assert {path.name: path.read_bytes() for path in images.iterdir()} == before


@pytest.fixture
def compressed(project: Project) -> Project:
    """A project with the images whose compressed pieces are kept, made once."""
    project.board(["libc"], formats='"cpio.gz", "squashfs"')
    bootable(project)
    (project.folder / "rootfs/text").write_text("".join(f"{n} {n % 97}\n" for n in range(9000)))
    ran = project.run()
    assert ran.status == 0, ran.text
    return project


@pytest.mark.parametrize("name", ["rootfs.cpio.gz", "rootfs.squashfs"])
def test_cleaning_removes_what_the_next_image_would_be_made_with(
    compressed: Project, name: str
) -> None:
    kept = compressed.folder / "out/tiny/kept" / name
    assert "kept/" not in compressed.run("-c", "libc").out
    would = compressed.run("-c", "-n").out
    assert f"would remove out/tiny/kept/{name}\n" in would
    assert any(kept.iterdir())
    assert f"removed out/tiny/kept/{name}\n" in compressed.run("-c").out
    assert not kept.exists()


@pytest.mark.parametrize(
    ("name", "module", "level"),
    [("rootfs.cpio.gz", "cpio", "_LEVEL = 5"), ("rootfs.squashfs", "blocks", "_LEVEL = 6")],
)
def test_an_engine_that_compresses_in_another_way_uses_nothing_of_before(
    compressed: Project, name: str, module: str, level: str
) -> None:
    compressed.own_engine()
    before = compressed.image(name)
    compressed.edit(f"site_scons/quard/image/{module}.py", level, "_LEVEL = 1")
    compressed.edit("site_scons/quard/plan/image.py", f"VERSION = {VERSION}", "VERSION = 1")
    assert compressed.run().status == 0
    made = compressed.image(name)
    shutil.rmtree(compressed.folder / "out")
    assert compressed.run().status == 0
    assert compressed.image(name) == made != before


def test_attributes_that_are_left_out_are_warned_of(project: Project) -> None:
    motd = project.folder / "rootfs/etc/motd"
    try:
        os.setxattr(motd, "user.origin", b"x")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    ran = project.run()
    assert ran.status == 0
    left_out = "the attribute user.origin of overlays is left out of the images"
    assert f"warning: {left_out}, which have those of permissions alone: /etc/motd" in ran.text


def test_an_edit_between_two_builds_reaches_the_image(project: Project) -> None:
    motd = project.folder / "rootfs/etc/motd"
    digests = set()
    for text in ("one\n", "two\n"):
        motd.write_text(text)
        assert project.run().status == 0
        digests.add(project.image())
    assert len(digests) == 2
