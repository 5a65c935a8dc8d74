"""What a build finds around itself: allow-listed tools, the compiler's drivers, an environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quard.base.errors import QuardError
from quard.execute import sysroot
from quard.execute.toolchain import Toolchain
from quard.plan.plan import Plan
from quard.process.sandbox import INSIDE, Work
from quard.process.system import MACHINE

PATH = os.environ["PATH"]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    made = Work(tmp_path / "work")
    made.make()
    return made


def toolchain(root: Path | None = None, prefix: str = "x-") -> Toolchain:
    commands = {"gcc": Path("/opt/x/bin/x-gcc"), "ld": Path("/opt/x/bin/x-ld")}
    return Toolchain(prefix, commands, None, root, "12", "f" * 64)


def fill(work: Work, *further: str, search: str = PATH, inside: str = INSIDE) -> set[str]:
    sysroot.tools(work, further, search, inside, MACHINE)
    return {path.name for path in work.tools.iterdir()}


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder


def test_the_tools_are_the_common_ones_and_the_declared_ones(work: Work) -> None:
    found = fill(work, "bison", "flex")
    wanted = {*sysroot.COMMON_TOOLS, "bison", "flex", "cc"}
    assert found <= wanted
    assert wanted - found <= {"ed", "hostname", "uudecode", "uuencode", "which"}


def test_undeclared_tools_are_not_there(work: Work) -> None:
    found = fill(work)
    for name in ("bison", "flex", "python3", "git", "curl", "ssh", "apt-get", "sudo", "gdb"):
        assert name not in found


def test_a_declared_tool_that_is_a_common_one_too_is_no_mistake(work: Work) -> None:
    assert "perl" in fill(work, "perl", "bison", "bison")


def test_a_tool_that_the_machine_does_not_have_is_an_error(work: Work) -> None:
    with pytest.raises(QuardError) as caught:
        fill(work, "no-such-tool")
    assert caught.value.reason == "tool-missing"
    assert caught.value.message == "the build machine has no no-such-tool"
    assert "host-packages.list" in caught.value.hint


def test_a_machine_without_common_tools_is_told_the_first_one(work: Work, tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        fill(work, search=str(tmp_path))
    assert caught.value.reason == "tool-missing"


def test_a_sealed_build_takes_no_tool_from_a_folder_that_it_cannot_see(
    work: Work, tmp_path: Path
) -> None:
    """As with pyenv's shims or /usr/local/bin before /usr/bin: the link would lead nowhere."""
    own = program(tmp_path / "bin", "sed")
    fill(work, search=f"{own}:/usr/local/bin:{PATH}")
    assert (work.tools / "sed").readlink() != own / "sed"
    for path in work.tools.iterdir():
        if path.is_symlink() and path.name != "cc":
            assert path.readlink().is_relative_to("/usr") or path.readlink().parts[1] in (
                "bin",
                "sbin",
            )
            assert not path.readlink().is_relative_to("/usr/local")


def test_a_tool_that_only_such_a_folder_has_is_missing_for_a_sealed_build(
    work: Work, tmp_path: Path
) -> None:
    own = program(tmp_path / "bin", "only-mine")
    with pytest.raises(QuardError) as caught:
        fill(work, "only-mine", search=f"{own}:{PATH}")
    assert caught.value.reason == "tool-missing"
    assert str(own) not in caught.value.detail


def test_without_a_sandbox_the_systems_tools_still_come_first(work: Work, tmp_path: Path) -> None:
    own = program(program(tmp_path / "bin", "sed"), "only-mine")
    fill(work, "only-mine", search=f"{own}:{PATH}", inside=str(work.root))
    assert (work.tools / "sed").readlink() != own / "sed"
    assert (work.tools / "only-mine").readlink() == own / "only-mine"


def lay(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_the_toolchains_own_sysroot_is_laid_out_as_copies_with_its_links(
    work: Work, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    lay(root, "usr/include/stdio.h", "usr/lib/libc.so.6")
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/lib/libc.so").symlink_to("libc.so.6")
    sysroot.own_sysroot(work.sysroot, toolchain(root))
    assert files(work.sysroot) == files(root)
    assert (work.sysroot / "lib").readlink() == Path("usr/lib")
    assert (work.sysroot / "usr/lib/libc.so").readlink() == Path("libc.so.6")
    first, second = root / "usr/lib/libc.so.6", work.sysroot / "usr/lib/libc.so.6"
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_ino != second.stat().st_ino


def test_without_an_own_sysroot_nothing_is_laid_out(work: Work) -> None:
    sysroot.own_sysroot(work.sysroot, toolchain())
    assert files(work.sysroot) == []


def test_of_an_indirect_dependency_only_shared_libraries_are_left(tmp_path: Path) -> None:
    root = tmp_path / "root"
    lay(
        root,
        "usr/lib/libz.so.1.3",
        "usr/lib/engines/afalg.so",
        "usr/lib/libz.a",
        "usr/lib/libsoft.o",
        "usr/lib/crt.so.d/x.h",
        "usr/lib/pkgconfig/zlib.pc",
        "usr/include/zlib.h",
        "usr/include/deep/zconf.h",
        "usr/bin/so",
    )
    (root / "usr/lib/libz.so").symlink_to("libz.so.1.3")
    (root / "usr/lib/libz.so.1").symlink_to("libz.so.1.3")
    sysroot.libraries_only(root)
    left = [name for name in files(root) if not (root / name).is_dir()]
    assert left == [
        "usr/lib/engines/afalg.so",
        "usr/lib/libz.so",
        "usr/lib/libz.so.1",
        "usr/lib/libz.so.1.3",
    ]
    assert sorted(path.name for path in root.rglob("*") if path.is_dir()) == [
        "engines",
        "lib",
        "usr",
    ]


def test_an_empty_sysroot_stays(tmp_path: Path) -> None:
    sysroot.libraries_only(tmp_path)
    assert tmp_path.is_dir()


def test_the_environment_is_made_of_the_plan_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CC", "CFLAGS", "ARCH", "MACHINE", "DESTDIR", "LD_LIBRARY_PATH", "LANG"):
        monkeypatch.setenv(name, "from-the-shell")
    folders = {"sysroot": "/quard/sysroot"}
    found = sysroot.environment(folders, INSIDE, "-j2 --x", plan(cflags="-O2"), {"A": "1"})
    assert "from-the-shell" not in str(found)
    assert found["PATH"] == "/quard/tools"
    assert found["HOME"] == "/quard/home"
    assert (found["LC_ALL"], found["TZ"]) == ("C", "UTC")
    assert found["CONFIG_SITE"] == "/dev/null"
    assert found["GIT_DIR"] == "."
    assert found["MAKEFLAGS"] == "-j2 --x"
    assert found["CFLAGS"] == found["CXXFLAGS"] == "-O2 -g"
    assert found["lt_cv_sys_lib_search_path_spec"] == ""
    assert found["A"] == "1"
    assert not {"CC", "ARCH", "MACHINE", "DESTDIR", "CROSS_COMPILE", "LDFLAGS"} & set(found)


def test_configure_scripts_read_the_answers_of_a_plan_that_has_them() -> None:
    folders = {"sysroot": "/quard/sysroot"}
    told = sysroot.environment(folders, INSIDE, "", replace(plan(), answers=True), {})
    assert told["CONFIG_SITE"] == f"/quard/tools/{sysroot.SITE}"


def test_pkg_config_sees_the_sysroot_alone() -> None:
    found = sysroot.environment({"sysroot": "/s"}, "/in", "", plan(), {})
    assert found["PKG_CONFIG_LIBDIR"] == "/s/usr/lib/pkgconfig:/s/usr/share/pkgconfig"
    assert found["PKG_CONFIG_SYSROOT_DIR"] == "/s"
    assert "PKG_CONFIG_PATH" not in found
    assert found["CFLAGS"] == "-g"


def test_what_a_package_asks_for_wins() -> None:
    found = sysroot.environment({"sysroot": "/s"}, "/in", "", plan(cflags="-O2"), {"CFLAGS": "-O0"})
    assert found["CFLAGS"] == "-O0"


def test_the_tools_of_this_machine_are_all_there() -> None:
    missing = [name for name in sysroot.COMMON_TOOLS if not shutil.which(name)]
    assert set(missing) <= {"ed", "hostname", "uudecode", "uuencode", "which"}


def plan(**changes: Any) -> Plan:
    return Plan(name="x", version="1", triple="riscv64-linux-gnu", **changes)


def test_ninja_gets_as_many_jobs_as_the_build_has_and_its_own_arguments(
    work: Work, tmp_path: Path
) -> None:
    fake = program(tmp_path / "bin", "ninja") / "ninja"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    assert "ninja" in fill(work, "ninja", search=f"{fake.parent}:{PATH}")
    wrapped = work.tools / "ninja"
    real = shutil.which("ninja") or str(fake)
    wrapped.write_text(wrapped.read_text().replace(f"exec {real} ", f"exec {fake} "))

    def said(*arguments: str, **env: str) -> str:
        return subprocess.check_output((wrapped, *arguments), env=env, text=True)

    assert said("-C", "a b", QUARD_JOBS="3") == "-j3 -C a b\n"
    assert said("all") == "all\n"
