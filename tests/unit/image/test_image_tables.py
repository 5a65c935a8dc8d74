"""Tables of the guest that it would misread, as its own programs read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.rootfs import assemble

BUSYBOX: dict[str, Any] = {"usr/bin/busybox": (b"x", 0o755), "usr/sbin/init": "../bin/busybox"}


def make(folder: Path, path: str, text: str, base: dict[str, Any] | None = None) -> None:
    files = {**(BUSYBOX if base is None else base), path: text.encode()}
    assemble(parts.spec(folder, {"one": files}), folder / "tar", folder / "json")


def refused(folder: Path, path: str, text: str) -> QuardError:
    with pytest.raises(QuardError) as caught:
        make(folder, path, text)
    assert caught.value.reason == "bad-guest-table"
    return caught.value


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("::sysinit", "four fields"),
        ("::sysinit:", "four fields"),
        ("/bin/sh", "four fields"),
        ("::sysint:/bin/sh", "'sysint'"),
        ("1:2345:respawn:/bin/none", "/bin/none is not in the image"),
        ("::respawn:-/opt/data x", "/opt/data is not executable"),
    ],
)
def test_bad_line_of_inittab(tmp_path: Path, line: str, problem: str) -> None:
    base = BUSYBOX | {"opt/data": b"x"}
    with pytest.raises(QuardError) as caught:
        make(tmp_path, "etc/inittab", f"# first\n\n{line}\n", base)
    assert "/etc/inittab of package one, line 3: " in caught.value.message
    assert problem in caught.value.message


def test_inittab_of_another_init_is_its_own_business(tmp_path: Path) -> None:
    base = {"usr/sbin/init": (b"x", 0o755)}
    make(tmp_path, "etc/inittab", "id:3:initdefault:\n", base)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("proc /proc proc", "3 fields"),
        ("proc /proc proc a, b 0 0", "7 fields"),
        ("proc proc proc defaults", "'proc' is not an absolute path"),
        ("proc /proc proc defaults 0 x", "not numbers"),
    ],
)
def test_bad_line_of_fstab(tmp_path: Path, line: str, problem: str) -> None:
    assert problem in refused(tmp_path, "etc/fstab", line).message


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("null", "lacks"),
        ("null root 666", "lacks"),
        ("null root:root", "lacks"),
        ("null root:root rw", "'rw' is not a mode"),
        ("null me:root 666", "no user 'me'"),
        ("null 0:me 666", "no group 'me'"),
    ],
)
def test_bad_line_of_mdev_conf(tmp_path: Path, line: str, problem: str) -> None:
    assert problem in refused(tmp_path, "etc/mdev.conf", line).message


def test_right_lines_are_fine(tmp_path: Path) -> None:
    make(tmp_path, "etc/inittab", "::sysinit:/bin/sh -c :\ntty1::respawn:-/bin/sh\n")
    make(tmp_path, "etc/fstab", "a\u00a0b\t/mnt/\u3000c ext4 rw 0 0\n")
    make(tmp_path, "etc/fstab", "proc /proc proc defaults\n\tnone none swap sw 0 0\n")
    make(
        tmp_path,
        "etc/mdev.conf",
        '-sd[a-z] 0:audio 0660 @x\n$MODALIAS=.* root:root 660 @modprobe "$MODALIAS"\n',
    )


def test_all_bad_lines_are_told_at_once(tmp_path: Path) -> None:
    detail = refused(tmp_path, "etc/fstab", "a\nb\nc\n").detail
    assert [f"line {number}: has 1 fields" in detail for number in (1, 2, 3)] == [True] * 3
