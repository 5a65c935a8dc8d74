"""What the guest could not run or read, in packages and overlays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.rootfs import assemble

SH = b"#!/bin/sh\n:\n"
BOTH = {"usr/bin/env": (b"env", 0o755), "usr/bin/busybox": (b"busybox", 0o755)}


def make(folder: Path, files: Mapping[str, Any]) -> None:
    spec = parts.spec(folder, {"one": {**BOTH, **files}})
    assemble(spec, folder / "tar", folder / "json")


def refused(folder: Path, files: Mapping[str, Any]) -> QuardError:
    with pytest.raises(QuardError) as caught:
        make(folder, files)
    return caught.value


@pytest.mark.parametrize(
    "path",
    [
        "etc/inittab",
        "etc/fstab",
        "etc/mdev.conf",
        "etc/hosts",
        "etc/resolv.conf",
        "etc/profile",
        "etc/profile.d/x.sh",
        "etc/default/sshd",
        "etc/init.d/functions",
        "etc/init.d/S10x.sh",
        "etc/network/interfaces",
        "etc/ssh/sshd_config",
        "etc/sysctl.d/10-x.conf",
        "usr/share/udhcpc/resolv.functions",
    ],
)
def test_windows_line_ends_in_what_the_guest_reads_are_refused(tmp_path: Path, path: str) -> None:
    error = refused(tmp_path, {path: b"# one\r\n# two\r\n"})
    assert error.reason == "line-ends"
    assert f"/{path} of package one" in error.message
    make(tmp_path, {path: b"# one\n# two\n"})


@pytest.mark.parametrize(
    "text",
    [
        b"#!/bin/sh\r\n:\r\n",
        b"#! /bin/sh -e\r\n:\n",
        b"#!/bin/sh\n:\r\n",
        b"#!/usr/bin/env sh\n:\r\n",
        b"#!/bin/busybox sh\n:\r\n",
        b"#!/usr/bin/env sh\r\n:\n",
    ],
)
def test_windows_line_ends_in_a_script_are_refused_wherever_it_lies(
    tmp_path: Path, text: bytes
) -> None:
    assert refused(tmp_path, {"opt/tool": (text, 0o755)}).reason == "line-ends"


def test_the_interpreter_that_the_kernel_would_look_for_is_named(tmp_path: Path) -> None:
    assert r"'sh\r'" in refused(tmp_path, {"opt/tool": (b"#!/bin/sh\r\n", 0o755)}).detail


def test_line_ends_that_harm_nobody_are_fine(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "etc/issue": b"hello\r\n",
            "www/index.html": b"<p>\r\n",
            "usr/share/doc/script": b"#!/bin/sh\r\n",
            "opt/self-extracting": (SH + b"\0\r\n\0", 0o755),
            "opt/other": (b"#!/usr/bin/env false\nprint\r\n", 0o755),
            "etc/some.conf": b"\x00\r\n",
        },
    )


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_byte_order_marks_are_refused(tmp_path: Path, mark: bytes) -> None:
    error = refused(tmp_path, {"opt/tool": (mark + SH, 0o755), "etc/hosts": mark + b"x"})
    assert error.reason == "text-encoding"
    assert "/opt/tool" in error.detail and "/etc/hosts" in error.detail


RUN_BY_PLACE = [
    "init",
    "etc/init.d/S70mine",
    "etc/init.d/rcS",
    "etc/network/if-up.d/mine",
    "etc/network/if-pre-up.d/mine",
    "usr/share/udhcpc/default.script",
    "usr/share/udhcpc/default.script.d/20-mine",
    "www/cgi-bin/mine",
]


@pytest.mark.parametrize("path", RUN_BY_PLACE)
def test_what_is_run_by_its_place_must_be_executable(tmp_path: Path, path: str) -> None:
    error = refused(tmp_path, {path: SH})
    assert error.reason == "not-executable"
    assert f"/{path}" in error.message
    make(tmp_path, {path: (SH, 0o755)})


def test_a_link_stands_for_what_it_leads_to(tmp_path: Path) -> None:
    files = {"etc/init.d/S70mine": "/opt/mine", "opt/mine": SH}
    assert refused(tmp_path, files).reason == "not-executable"
    make(tmp_path, files | {"opt/mine": (SH, 0o755)})


def test_what_is_sourced_need_not_be_executable(tmp_path: Path) -> None:
    make(tmp_path, {"etc/init.d/S70mine.sh": SH, "etc/init.d/functions": SH})


@pytest.mark.parametrize("name", ["mine.sh", "mine~", "my hook"])
def test_a_hook_that_run_parts_would_pass_over_is_refused(tmp_path: Path, name: str) -> None:
    error = refused(tmp_path, {f"etc/network/if-up.d/{name}": (SH, 0o755)})
    assert error.reason == "hook-name"


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        {
            "etc/fstab": b"# x\r\n",
            "etc/hosts": b"\xef\xbb\xbfx",
            "etc/init.d/S70mine": SH,
            "opt/tool": (b"#!/bin/sh\r\n", 0o755),
        },
    )
    for path in ("/etc/fstab", "/etc/hosts", "/etc/init.d/S70mine", "/opt/tool"):
        assert path in error.detail
    for reason in ("line-ends: sed", "text-encoding: ", "not-executable: "):
        assert reason in error.detail
