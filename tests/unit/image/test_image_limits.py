"""What a format cannot hold is told before anything is written."""

from __future__ import annotations

from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.overlay import Item, Overlay
from quard.image.rootfs import RootfsJob, assemble, vet

GIB = 1 << 30
ALL = ("ext4", "squashfs", "cpio.gz")


def spec(folder: Path, size: int, formats: tuple[str, ...], size_mib: int | None) -> RootfsJob:
    """Return what an image with one file of zeros is made of."""
    with (folder / "big").open("wb") as file:
        file.truncate(size)
    items = (Item("big", "file", 0o644, "0" * 64, size), Item("init", "file", 0o755, "0" * 64))
    (folder / "init").touch()
    return parts.changed(
        parts.spec(folder, {}, overlays=(Overlay("rootfs", folder, items),)),
        formats=formats,
        size_mib=size_mib,
    )


def refused(wanted: RootfsJob, folder: Path) -> QuardError:
    (folder / "tar").write_text("old")
    (folder / "json").write_text("old")
    with pytest.raises(QuardError) as caught:
        assemble(wanted, folder / "tar", folder / "json")
    assert (folder / "tar").read_text() == (folder / "json").read_text() == "old"
    return caught.value


def test_a_file_that_a_format_cannot_hold_is_told_with_those_that_can(tmp_path: Path) -> None:
    wanted = spec(tmp_path, 4 * GIB, ALL, None)
    error = refused(wanted, tmp_path)
    assert error.reason == "image-too-big"
    assert "/big" in error.message and "cpio.gz" in error.message
    assert "ext4 and squashfs can hold it" in error.detail
    with pytest.raises(QuardError) as early:
        vet(wanted)
    assert early.value.block() == error.block()


def test_the_largest_file_that_they_can_hold_is_fine(tmp_path: Path) -> None:
    assert vet(spec(tmp_path, 4 * GIB - 1, ALL, None)) == ()
    assert vet(spec(tmp_path, 5 * GIB, ("ext4", "squashfs"), None)) == ()


def test_an_ext4_that_is_too_small_is_told_before_and_holes_count_nothing(tmp_path: Path) -> None:
    assert refused(spec(tmp_path, GIB, ("ext4",), 4), tmp_path).reason == "image-too-small"
    assemble(spec(tmp_path, GIB, ("ext4",), 64), tmp_path / "tar", tmp_path / "json")
    (tmp_path / "full").write_bytes(b"x" * (9 << 20))
    items = (Item("full", "file", 0o644, "0" * 64, 9 << 20),)
    full = parts.changed(
        spec(tmp_path, 1, ("ext4",), 8), overlays=(Overlay("rootfs", tmp_path, items),)
    )
    assert refused(full, tmp_path).reason == "image-too-small"


def test_an_archive_that_could_not_boot_is_told_before(tmp_path: Path) -> None:
    wanted = parts.changed(parts.spec(tmp_path, {}), formats=("cpio.gz",))
    assert refused(wanted, tmp_path).reason == "no-init"
