"""Overlays that have /bin, /sbin or /lib themselves, or what the tables and the board set."""

from __future__ import annotations

import dataclasses
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.overlay import Overlay, scan
from quard.image.rootfs import assemble


def overlay(folder: Path, entries: Mapping[str, str | None], name: str = "rootfs") -> Overlay:
    """Make an overlay; text is a file's content, "-> TARGET" a link, None an empty folder."""
    for path, text in entries.items():
        place = folder / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            place.mkdir()
        elif text.startswith("-> "):
            os.symlink(text.removeprefix("-> "), place)
        else:
            place.write_text(text)
    return scan(name, folder / name)


def made(folder: Path, *overlays: Overlay, **changes: Any) -> dict[str, tarfile.TarInfo]:
    spec = parts.spec(folder, {}, overlays=overlays)
    assemble(parts.changed(spec, **changes), folder / "tar", folder / "json")
    with tarfile.open(folder / "tar") as tar:
        return {member.name: member for member in tar}


def refused(folder: Path, *overlays: Overlay, **changes: Any) -> QuardError:
    with pytest.raises(QuardError) as caught:
        made(folder, *overlays, **changes)
    return caught.value


def test_what_lies_below_a_merged_folder_is_moved_below_usr(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        overlay(
            tmp_path,
            {
                "bin/tool": "x",
                "sbin/deep/tool": "x",
                "lib/firmware/x.bin": "x",
                "lib/modules": None,
                "lib64/y": "x",
            },
        ),
    )
    assert {"usr/bin/tool", "usr/sbin/deep/tool", "usr/lib/firmware/x.bin"} <= set(found)
    assert found["usr/lib/modules"].isdir()
    assert [found[top].linkname for top in ("bin", "sbin", "lib")] == [
        "usr/bin",
        "usr/sbin",
        "usr/lib",
    ]
    assert "lib64/y" in found


def test_lib64_is_moved_where_the_loader_lives_there(tmp_path: Path) -> None:
    target = dataclasses.replace(parts.RISCV, loader="/lib64/ld.so")
    found = made(tmp_path, overlay(tmp_path, {"lib64/y": "x"}), target=target)
    assert found["lib64"].issym() and "usr/lib/y" in found


def test_links_that_move_lead_where_they_led(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        overlay(
            tmp_path,
            {
                "usr/lib/y": "x",
                "usr/bin/z": "x",
                "etc/conf": "x",
                "bin/up": "-> ../usr/lib/y",
                "bin/etc": "-> ../etc/conf",
                "bin/beside": "-> ./z",
                "bin/sub/over": "-> ../z",
                "bin/other": "-> ../lib/y",
                "lib/absolute": "-> /usr/lib/./y",
                "etc/through": "-> ../bin/z",
            },
        ),
    )
    targets = {name: member.linkname for name, member in found.items() if member.issym()}
    assert targets["usr/bin/up"] == "../lib/y"
    assert targets["usr/bin/etc"] == "../../etc/conf"
    assert targets["usr/bin/beside"] == "./z"
    assert targets["usr/bin/sub/over"] == "../z"
    assert targets["usr/bin/other"] == "../lib/y"
    assert targets["usr/lib/absolute"] == "/usr/lib/./y"
    assert targets["etc/through"] == "../bin/z"


@pytest.mark.parametrize("target", ["usr/bin", "/usr/bin", "./usr//bin/"])
def test_the_link_of_a_merged_system_may_be_there(tmp_path: Path, target: str) -> None:
    found = made(tmp_path, overlay(tmp_path, {"bin": f"-> {target}", "usr/bin/x": "x"}))
    assert found["bin"].linkname == "usr/bin"


def test_two_files_at_one_place_are_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, overlay(tmp_path, {"bin/x": "1", "usr/bin/x": "2"}))
    assert error.reason == "file-collision"
    assert "both /bin/x and /usr/bin/x" in error.message


def test_a_second_overlay_replaces_the_folded_file_of_the_first(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        overlay(tmp_path, {"bin/x": "one"}),
        overlay(tmp_path, {"usr/bin/x": "three"}, "site"),
    )
    assert found["usr/bin/x"].size == 5


def test_everything_that_the_tables_set_is_told_at_once_with_its_key(tmp_path: Path) -> None:
    wrong = {
        "bin": "-> somewhere",
        "dev/console": "x",
        "etc/group": "x",
        "etc/hostname": "x",
        "etc/os-release": "x",
        "etc/passwd": "x",
        "etc/shadow": "x",
        "root/.ssh/authorized_keys": "x",
        "tmp": "x",
        "usr/lib/os-release": "x",
    }
    error = refused(
        tmp_path,
        overlay(tmp_path, {**wrong, "root/.ssh/config": "x", "etc/motd": "x"}),
        authorized_keys=(parts.KEY,),
    )
    assert error.reason == "file-collision"
    lines = error.detail.splitlines()
    told = {line.split()[0]: lines[number + 1] for number, line in enumerate(lines) if "/" in line}
    for path in wrong:
        assert f"/{path}" in told, error.block()
    for path, key in {
        "bin": "link into /usr",
        "dev/console": "[[device]]",
        "etc/group": "[[group]]",
        "etc/hostname": "`hostname` in the board's file",
        "etc/os-release": "the build writes it",
        "etc/passwd": "[[user]]",
        "etc/shadow": "login.root_password",
        "root/.ssh/authorized_keys": "login.authorized_keys",
    }.items():
        assert key in told[f"/{path}"], error.block()
    assert "[[directory]]" in error.detail
    assert "motd" not in error.detail and "config" not in error.detail


def test_keys_of_the_overlay_are_fine_where_the_board_has_none(tmp_path: Path) -> None:
    assert "root/.ssh/authorized_keys" in made(
        tmp_path, overlay(tmp_path, {"root/.ssh/authorized_keys": parts.KEY})
    )


def test_collisions_of_packages_are_told_at_once_too(tmp_path: Path) -> None:
    spec = parts.spec(tmp_path, {"a": {"x": b"1", "y": b"1"}, "b": {"x": b"1", "y": b"1"}})
    with pytest.raises(QuardError) as caught:
        assemble(spec, tmp_path / "tar", tmp_path / "json")
    assert caught.value.reason == "file-collision"
    assert "/x " in caught.value.detail and "/y " in caught.value.detail
