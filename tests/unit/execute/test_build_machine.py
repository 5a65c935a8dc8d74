"""quard.execute.native: the folders and the environment of a build for the build machine."""

from __future__ import annotations

import os
from pathlib import Path

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
    native.close_stage(tmp_path)
    assert [str(p.relative_to(tmp_path)) for p in sorted(tmp_path.rglob("*"))] == [
        "usr", "usr/bin", "usr/bin/x"
    ]  # fmt: skip


def test_a_folder_that_an_installation_put_in_place_of_the_link_stays(tmp_path: Path) -> None:
    """Its files would be lost otherwise; they are reported as paths of the build."""
    inside = tmp_path / NATIVE[1:] / "usr"
    inside.mkdir(parents=True)
    native.close_stage(tmp_path)
    assert inside.is_dir()


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
