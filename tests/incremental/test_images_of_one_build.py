"""After whatever failure: the images are of one build, or it is said that they are not."""

from __future__ import annotations

import random
import subprocess

import pytest

from incremental.project import Project

IMAGES = ("rootfs.ext4", "rootfs.squashfs")
FORMATS = '"ext4", "squashfs"'


@pytest.fixture
def imaged(greeting: Project) -> Project:
    """A project whose images have been made."""
    greeting.board(["alone", "hello", "libc"], formats=FORMATS)
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert set(IMAGES) <= names(greeting)
    return greeting


def names(project: Project) -> set[str]:
    return {path.name for path in (project.folder / "out/tiny/images").iterdir()}


def started(project: Project) -> str:
    """Return what run.sh says."""
    done = subprocess.run(
        ["sh", str(project.folder / "out/tiny/images/run.sh")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    return done.stderr


def test_a_failed_root_file_system_leaves_no_image_of_another_build(imaged: Project) -> None:
    link = imaged.folder / "rootfs/etc/link"
    link.symlink_to("/usr/nowhere")
    ran = imaged.run()
    assert ran.status == 2 and "reason: dangling-link" in ran.err
    assert not names(imaged) & {*IMAGES, "rootfs.tar", "manifest.json"}
    assert "unfinished" in names(imaged)
    assert "the images are from different builds; unfinished: rootfs.tar" in ran.text
    assert "reason: images-unfinished" in started(imaged)
    link.unlink()
    ran = imaged.run()
    assert ran.status == 0 and "from different builds" not in ran.text
    assert {*IMAGES, "rootfs.tar", "manifest.json"} <= names(imaged)
    assert "unfinished" not in names(imaged)
    assert "reason: images-unfinished" not in started(imaged)


def test_a_format_that_fails_leaves_no_other_of_an_earlier_build(imaged: Project) -> None:
    before = {name: imaged.image(name) for name in IMAGES}
    noise = random.Random(1).randbytes(6_500_000)
    (imaged.folder / "rootfs/noise").write_bytes(noise)
    imaged.board(["alone", "hello", "libc"], formats=FORMATS)
    board = imaged.folder / "configs/tiny.toml"
    board.write_text(board.read_text() + "size_mib = 8\n")
    ran = imaged.run("-j1")
    assert ran.status == 2 and "reason: image-too-small" in ran.err
    assert "rootfs.ext4" not in names(imaged)
    if "rootfs.squashfs" in names(imaged):
        assert imaged.image("rootfs.squashfs") != before["rootfs.squashfs"]
    assert "reason: images-unfinished" in started(imaged)
    (imaged.folder / "rootfs/noise").unlink()
    board.write_text(board.read_text().replace("size_mib = 8\n", ""))
    assert imaged.run().status == 0
    assert {name: imaged.image(name) for name in IMAGES} == before


def test_a_failed_package_leaves_all_images_as_they_are(imaged: Project) -> None:
    before = {name: imaged.image(name) for name in (*IMAGES, "rootfs.tar")}
    imaged.program("alone", "no C\n")
    ran = imaged.run()
    assert ran.status == 2 and "from different builds" not in ran.text
    assert {name: imaged.image(name) for name in before} == before
    assert "unfinished" not in names(imaged)


@pytest.mark.parametrize("option", ["-k", "-i"])
def test_going_on_after_a_failure_is_no_success(imaged: Project, option: str) -> None:
    (imaged.folder / "rootfs/etc/link").symlink_to("/usr/nowhere")
    imaged.run(option)
    assert "unfinished" in names(imaged)
    assert not names(imaged) & set(IMAGES)


def test_a_root_file_system_that_comes_out_the_same_leaves_its_images(imaged: Project) -> None:
    images = imaged.folder / "out/tiny/images"
    before = {name: (images / name).stat().st_mtime_ns for name in IMAGES}
    (images / "rootfs.tar").unlink()
    assert imaged.run().status == 0
    assert {name: (images / name).stat().st_mtime_ns for name in IMAGES} == before
    assert ".before" not in names(imaged) and "unfinished" not in names(imaged)


def test_a_mark_that_a_kill_left_goes_with_the_next_build(imaged: Project) -> None:
    mark = imaged.folder / "out/tiny/images/unfinished"
    mark.write_text("rootfs.ext4\n")
    assert "rootfs.ext4" in started(imaged)
    imaged.run("alone")
    assert mark.exists()
    assert imaged.run().status == 0
    assert not mark.exists()


def test_a_failure_of_something_else_says_nothing_about_the_images(imaged: Project) -> None:
    (imaged.folder / "out/tiny/debug").write_text("in the place of a folder")
    (imaged.folder / "rootfs/etc/motd").write_text("new\n")
    ran = imaged.run("run", "DEBUG=1")
    assert ran.status == 2 and "rootfs.tar" in ran.summary["images"]
    assert "from different builds" not in ran.text
    assert "unfinished" not in names(imaged)
