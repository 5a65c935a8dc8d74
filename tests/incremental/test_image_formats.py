"""Images of each format after edits, and after their reversal, are those of a clean build."""

from __future__ import annotations

import pytest

from incremental.initramfs import bootable
from incremental.project import Project, ok
from quard.plan.image import FILES

NAMES = ("rootfs.tar", *FILES.values())


@pytest.fixture
def imaged(project: Project) -> Project:
    """A project whose images of all formats have been made."""
    project.board(["libc"], formats=", ".join(f'"{name}"' for name in FILES))
    bootable(project)
    ok(project.run())
    return project


def images(project: Project) -> dict[str, str]:
    """Return the hash of each image."""
    return {name: project.image(name) for name in NAMES}


def test_images_after_an_edit_are_those_of_a_clean_build(imaged: Project) -> None:
    before = images(imaged)
    (imaged.folder / "rootfs/etc/motd").write_text("edited\n")
    ok(imaged.run())
    edited = images(imaged)
    assert [name for name in NAMES if edited[name] == before[name]] == []
    imaged.other_machine()
    ok(imaged.run())
    assert images(imaged) == edited


def test_images_after_an_edit_and_its_reversal_are_those_of_before(imaged: Project) -> None:
    before = images(imaged)
    motd = imaged.folder / "rootfs/etc/motd"
    text = motd.read_text()
    for now in ("edited\n", text):
        motd.write_text(now)
        assert ok(imaged.run()).summary["images"] == sorted(NAMES)
    assert images(imaged) == before
