"""Modes and attributes of overlay files that an image does not take."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.overlay import scan
from quard.image.rootfs import RootfsJob, assemble, vet
from quard.model import Permission

NET_RAW = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)
"""cap_net_raw+ep as security.capability holds it (capabilities(7))."""


def give(path: Path, name: str, value: bytes) -> None:
    """Set an attribute, where the file system of the tests can hold any."""
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        pytest.skip(f"no extended attributes in {path.parent}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "rootfs"
    (root / "bin").mkdir(parents=True)
    (root / "bin/tool").touch(mode=0o755)
    (root / "spool").mkdir()
    return root


def spec(folder: Path, table: str = "") -> RootfsJob:
    system = parts.system(folder.parent, parts.BASE + table)
    return parts.spec(folder.parent, {}, overlays=(scan("rootfs", folder),), system=system)


def refused(wanted: RootfsJob, out: Path) -> QuardError:
    """Return the error, which is the same before and after the packages are there."""
    with pytest.raises(QuardError) as early:
        vet(wanted)
    with pytest.raises(QuardError) as late:
        assemble(wanted, out / "tar", out / "json")
    assert early.value.detail == late.value.detail
    return early.value


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755, 0o4711])
def test_set_id_bits_of_a_file_are_named_with_their_row(
    folder: Path, mode: int, tmp_path: Path
) -> None:
    (folder / "bin/tool").chmod(mode)
    error = refused(spec(folder), tmp_path)
    assert error.reason == "special-mode"
    assert "overlay rootfs: /usr/bin/tool" in error.message
    row = f'[[permission]] path = "/usr/bin/tool", mode = "{mode | 0o755:04o}"'
    assert row in error.detail


def test_the_row_is_the_answer_whatever_it_says(folder: Path, tmp_path: Path) -> None:
    (folder / "bin/tool").chmod(0o4755)
    for mode in ("4755", "0755"):
        row = f'[[permission]]\npath = "/usr/bin/tool"\nmode = "{mode}"\n'
        assert vet(spec(folder, row)) == ()
        assemble(spec(folder, row), tmp_path / "tar", tmp_path / "json")


def test_a_permission_of_a_recipe_is_an_answer_too(folder: Path) -> None:
    (folder / "bin/tool").chmod(0o4755)
    wanted = parts.changed(spec(folder), permissions=(("one", Permission("/bin/tool", "4755")),))
    assert vet(wanted) == ()


def test_sticky_folders_are_named_and_inherited_groups_are_not(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "spool").chmod(0o2775)
    assert vet(spec(folder)) == ()
    (folder / "spool").chmod(0o1777)
    assert "[[directory]]" in refused(spec(folder), tmp_path).detail
    row = '[[directory]]\npath = "/spool"\nmode = "1777"\n'
    assert vet(spec(folder, row)) == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="file capabilities are given by root")
def test_capabilities_are_refused(folder: Path, tmp_path: Path) -> None:
    give(folder / "bin/tool", "security.capability", NET_RAW)
    error = refused(spec(folder), tmp_path)
    assert error.reason == "file-capabilities"
    assert "/usr/bin/tool" in error.message
    row = 'path = "/usr/bin/tool", mode = "0755", capabilities = "cap_net_raw=ep" keeps them'
    assert row in error.detail
    table = (
        '[[permission]]\npath = "/usr/bin/tool"\nmode = "0755"\ncapabilities = "cap_net_raw=ep"\n'
    )
    assert vet(spec(folder, table)) == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="file capabilities are given by root")
def test_capabilities_of_an_unknown_form_are_refused_without_a_text(folder: Path) -> None:
    give(
        folder / "bin/tool", "security.capability", struct.pack("<5I", 0x02000001, 0, 0, 1 << 30, 0)
    )
    with pytest.raises(QuardError) as caught:
        vet(spec(folder))
    assert 'capabilities = "..." keeps them' in caught.value.detail


def test_other_attributes_are_warned_of(folder: Path) -> None:
    for number in range(7):
        (folder / f"f{number}").touch()
        give(folder / f"f{number}", "user.origin", b"x")
    give(folder / "bin/tool", "user.overlay.opaque", b"y")
    give(folder / "spool", "user.origin", b"x")
    (warning,) = vet(spec(folder))
    assert "user.origin" in warning and "/f0, /f1" in warning and "and 3 more" in warning


def test_what_a_later_overlay_replaces_does_not_count(folder: Path) -> None:
    (folder / "bin/tool").chmod(0o4755)
    site = folder.with_name("site")
    (site / "usr/bin").mkdir(parents=True)
    (site / "usr/bin/tool").touch(mode=0o755)
    overlays = (scan("rootfs", folder), scan("site", site))
    assert vet(parts.changed(spec(folder), overlays=overlays)) == ()


def test_a_bit_or_an_attribute_that_comes_is_a_change(folder: Path) -> None:
    found = [scan("rootfs", folder)]
    (folder / "bin/tool").chmod(0o4755)
    found.append(scan("rootfs", folder))
    give(folder / "bin/tool", "user.origin", b"x")
    found.append(scan("rootfs", folder))
    assert len({overlay.digest for overlay in found}) == 3
    assert len({overlay.listing()["bin/tool"] for overlay in found}) == 3
