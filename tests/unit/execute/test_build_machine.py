"""quard.execute.native: the folders and the environment of a build for the build machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.base.placeholders import NATIVE
from quard.execute import native, sysroot
from quard.plan.plan import Plan
from quard.process.sandbox import Work

PLAN = Plan(name="x", version="1", triple="x86_64-linux-gnu", native=True, cflags="-O2")


def test_what_is_installed_below_the_fixed_path_is_staged_as_usr(tmp_path: Path) -> None:
    native.open_stage(tmp_path)
    below = tmp_path / NATIVE[1:] / "usr/bin"
    below.mkdir(parents=True)
    (below / "x").touch()
    native.close_stage(tmp_path, "x 1")
    assert [str(p.relative_to(tmp_path)) for p in sorted(tmp_path.rglob("*"))] == [
        "usr", "usr/bin", "usr/bin/x"
    ]  # fmt: skip


def unpacked(stage: Path, *paths: str) -> None:
    """Install files below NATIVE as `tar -C stage -xf -` does, which replaces the link."""
    source = stage.with_name("source")
    for path in paths:
        place = source / NATIVE[1:] / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("new")
    tar = subprocess.run(("tar", "-C", source, "-cf", "-", "."), stdout=-1, check=True).stdout
    subprocess.run(("tar", "-C", stage, "-xf", "-"), input=tar, check=True)
    assert not (stage / NATIVE[1:]).is_symlink()


def test_what_tar_puts_in_place_of_the_link_is_staged_as_usr_as_well(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    native.open_stage(stage)
    early = stage / NATIVE[1:] / "usr/bin"
    early.mkdir(parents=True)
    for name in ("early", "both"):
        (early / name).write_text("old")
    (stage / "usr/bin").chmod(0o555)
    unpacked(stage, "usr/bin/both", "usr/bin/late", "etc/x.conf")
    native.close_stage(stage, "x 1")
    found = {str(p.relative_to(stage)): p.read_text() for p in stage.rglob("*") if p.is_file()}
    assert found == {
        "usr/bin/early": "old", "usr/bin/both": "new", "usr/bin/late": "new", "etc/x.conf": "new"
    }  # fmt: skip
    assert not (stage / "quard").exists()


def test_a_folder_and_a_file_at_the_same_path_are_an_error(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    native.open_stage(stage)
    (stage / "usr/lib/x").mkdir(parents=True)
    (stage / "usr/lib64").symlink_to("lib")
    unpacked(stage, "usr/lib/x", "usr/lib64/y", "usr/z")
    with pytest.raises(QuardError, match="x 1: ") as caught:
        native.close_stage(stage, "x 1")
    assert caught.value.reason == "file-collision"
    assert caught.value.detail == "usr/lib/x\nusr/lib64"


def test_a_link_in_place_of_the_folder_above_is_not_followed(tmp_path: Path) -> None:
    stage, other = tmp_path / "stage", tmp_path / "other"
    stage.mkdir()
    other.mkdir()
    (other / "native").symlink_to("elsewhere")
    (stage / "quard").symlink_to(other)
    native.close_stage(stage, "x 1")
    assert (other / "native").is_symlink()


def test_the_sysroot_is_what_the_build_sees_of_the_build_machine(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    work.make()
    native.share_sysroot(work)
    (work.native / "usr").mkdir()
    assert (work.sysroot / "usr").is_dir()
    assert not os.readlink(work.sysroot).startswith("/")


def test_no_folder_of_the_build_may_be_in_a_result_except_the_fixed_one() -> None:
    found = native.markers("/quard")
    assert "/quard/stage" in found and "/quard/tools" in found and "/quard/src" in found
    assert not any(NATIVE.startswith(marker) for marker in found)


def test_what_a_build_links_with_is_found_without_options() -> None:
    found = sysroot.environment({"sysroot": "/quard/sysroot"}, "/quard", "", PLAN, {})
    assert found["LIBRARY_PATH"] == f"{NATIVE}/usr/lib"
    assert found["C_INCLUDE_PATH"] == found["CPLUS_INCLUDE_PATH"] == f"{NATIVE}/usr/include"
    assert found["PKG_CONFIG_LIBDIR"].startswith(f"{NATIVE}/usr/lib/pkgconfig:")
    assert "PKG_CONFIG_SYSROOT_DIR" not in found
    assert found["CFLAGS"] == "-O2"


def test_programs_that_a_build_calls_come_before_the_tools() -> None:
    plan = Plan(name="x", version="1", triple="riscv64-linux-gnu", natives=("gen:programs",))
    found = sysroot.environment({"sysroot": "/s"}, "/quard", "", plan, {})
    assert found["PATH"] == f"{NATIVE}/usr/bin:{NATIVE}/usr/sbin:/quard/tools"
