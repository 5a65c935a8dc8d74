"""Every file of the machine that a package without an archive installs is part of its key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.base import given
from quard.base.programs import Programs
from quard.execute.toolchain import COMMANDS, Toolchain
from quard.execute.tracked import identity
from quard.plan.plan import HeadersStep, Plan, RunStep, Step, ToolchainStep

GCC = """\
#!/bin/sh
top=${0%/*/*}
echo "$1" >> "$top/asked"
case $1 in
-print-file-name=*) [ ! -e "$top/lib/${1#*=}" ] || echo "$top/lib/${1#*=}" ;;
esac
"""
LIBRARIES = ToolchainStep("install", ("libown.so.1",), "/lib/ld.so", ("libextra.so.2",))
HEADERS = HeadersStep("install", ("linux",))


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A folder that looks like a compiler, and one of data."""
    for path in (
        *("lib/libown.so.1", "lib/ld.so", "lib/libextra.so.2", "lib/crt1.o"),
        *("include/linux/a.h", "include/linux/deep/b.h", "data/C/time", "data/locales/C"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    (tmp_path / "bin").mkdir()
    for name in COMMANDS:
        (tmp_path / "bin" / name).write_text(GCC)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def of(top: Path, *steps: Step, memory: str = "memory.json", **env: str) -> str:
    commands = {name: top / "bin" / name for name in COMMANDS}
    toolchain = Toolchain("", commands, top, None, "12", "7" * 64)
    plan = Plan(name="x", version="1", triple="t", steps=steps, env=tuple(env.items()), taken=True)
    return identity(plan, toolchain, Programs(top / memory))


def asked(top: Path) -> int:
    return len((top / "asked").read_text().splitlines())


def copying(top: Path) -> RunStep:
    return RunStep("install", ("cp", "-R", f"{top}/data/C", "{stage}/usr/lib"))


CHANGES: dict[str, Callable[[Path], object]] = {
    "library": lambda top: (top / "lib/libown.so.1").write_text("new"),
    "loader": lambda top: (top / "lib/ld.so").write_text("new"),
    "library on demand": lambda top: (top / "lib/libextra.so.2").write_text("new"),
    "library on demand gone": lambda top: (top / "lib/libextra.so.2").unlink(),
    "header": lambda top: (top / "include/linux/deep/b.h").write_text("new"),
    "header more": lambda top: (top / "include/linux/c.h").write_text("new"),
    "header in another folder": lambda top: (top / "include/linux/deep/b.h").rename(
        top / "include/linux/b.h"
    ),
    "copied file": lambda top: (top / "data/C/time").write_text("new"),
    "copied file more": lambda top: (top / "data/C/money").touch(),
    "read because a variable names its folder": lambda top: (top / "data/locales/C").write_text(
        "x"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_a_file_changes_the_identity(
    top: Path, change: Callable[[Path], object]
) -> None:
    steps = (LIBRARIES, HEADERS, copying(top))
    before = of(top, *steps, I18NPATH=f"{top}/data/locales")
    assert of(top, *steps, I18NPATH=f"{top}/data/locales") == before
    change(top)
    assert of(top, *steps, I18NPATH=f"{top}/data/locales") != before


def test_other_files_are_no_part_of_it(top: Path) -> None:
    before = of(top, LIBRARIES, copying(top))
    (top / "data/locales/C").write_text("new")
    (top / "lib/libfurther.so.3").touch()
    (top / "include/linux/a.h").write_text("new")
    assert of(top, LIBRARIES, copying(top)) == before


def test_the_compiler_is_asked_once_until_a_file_is_gone(top: Path) -> None:
    of(top, LIBRARIES, HEADERS)
    first = asked(top)
    of(top, LIBRARIES, HEADERS)
    assert asked(top) == first
    (top / "lib/libextra.so.2").unlink()
    of(top, LIBRARIES, HEADERS)
    assert asked(top) > first


def test_a_library_that_is_installed_later_is_seen(top: Path) -> None:
    whole = of(top, LIBRARIES)
    text = (top / "lib/libextra.so.2").read_text()
    (top / "lib/libextra.so.2").unlink()
    without = of(top, LIBRARIES, memory="other.json")
    assert without != whole
    (top / "lib/libextra.so.2").write_text(text)
    assert of(top, LIBRARIES, memory="other.json") == whole


def test_the_folder_of_the_compiler_makes_no_difference(top: Path, tmp_path: Path) -> None:
    before = of(top, LIBRARIES, HEADERS)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("bin", "lib", "include"):
        (top / name).rename(moved / name)
    assert of(moved, LIBRARIES, HEADERS) == before


def test_what_is_missing_is_left_to_the_build(top: Path) -> None:
    steps = (LIBRARIES, HEADERS, RunStep("install", ("cp", "/nowhere/at/all", "{stage}/usr")))
    whole = of(top, *steps)
    for path in ("lib/libown.so.1", "include/linux/a.h", "include/linux/deep/b.h"):
        (top / path).unlink()
    for path in ("include/linux/deep", "include/linux"):
        (top / path).rmdir()
    assert of(top, *steps) != whole


@pytest.mark.parametrize("target", ["/dev/null", "/proc/self/mounts", "/tmp", "/"])
def test_what_a_link_on_the_target_leads_to_is_not_read_here(top: Path, target: str) -> None:
    """Reading it could take for ever, as with a pipe, or give something else each time."""
    link = RunStep("install", ("ln", "-s", target, "{stage}/usr/there"))
    assert of(top, link) == of(top)


def test_a_path_that_leads_out_of_what_builds_see_is_not_read(top: Path) -> None:
    (top.parent / "beside").write_text("old")
    outside = RunStep("install", ("cp", f"{top}/../beside", "{stage}/usr"))
    before = of(top, outside)
    (top.parent / "beside").write_text("new")
    assert of(top, outside) == before


def test_names_need_not_be_text(top: Path) -> None:
    unusual = os.fsdecode(b"not\xffutf-8")
    before = of(top, copying(top))
    (top / "data/C" / unusual).touch()
    assert of(top, copying(top)) != before


def test_unchanged_files_are_not_read_again(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (LIBRARIES, HEADERS, copying(top))
    before = of(top, *steps)
    monkeypatch.setattr(given, "opened", None)
    assert of(top, *steps) == before


def test_the_compiler_is_asked_once_after_it_was_replaced_by_an_equal_one(top: Path) -> None:
    of(top, LIBRARIES)
    os.utime(top / "bin/gcc", ns=(1, 1))
    of(top, LIBRARIES)
    first = asked(top)
    of(top, LIBRARIES)
    assert asked(top) == first
