"""The script that packs what kernel modules of other packages are built with."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "packages/linux/module-tree.sh"
SOURCE = (
    "Makefile",
    "arch/riscv/Makefile",
    "arch/riscv/Makefile.postlink",
    "arch/riscv/include/asm/io.h",
    "arch/riscv/kernel/head.S",
    "arch/x86/Makefile",
    "arch/x86/include/asm/io.h",
    "drivers/net/veth.c",
    "include/linux/io.h",
    "scripts/Makefile.build",
    "scripts/dtc/dtc.c",
    "scripts/mod/modpost.c",
)
MADE = (
    ".config",
    "Module.symvers",
    "arch/riscv/include/generated/asm/io.h",
    "include/config/NET",
    "include/config/kernel.release",
    "include/generated/autoconf.h",
    "scripts/basic/fixdep",
    "scripts/mod/modpost",
    "scripts/mod/modpost.o",
    "scripts/module.lds",
    "scripts/sign-file",
    "tools/objtool/objtool",
    "vmlinux",
)
EXPECTED = {
    *(".config", "Module.symvers", "Makefile"),
    *("arch/riscv/Makefile", "arch/riscv/Makefile.postlink"),
    *("arch/riscv/include/asm/io.h", "arch/riscv/include/generated/asm/io.h"),
    *("include/config/auto.conf", "include/config/kernel.release"),
    *("include/generated/autoconf.h", "include/linux/io.h"),
    *("scripts/Makefile.build", "scripts/basic/fixdep", "scripts/mod/modpost"),
    *("scripts/mod/modpost.c", "scripts/module.lds"),
}


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """A kernel's source after a build: Kbuild leaves a list beside each file that it makes."""
    folder = tmp_path / "src"
    for path in (*SOURCE, *MADE):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    for path in MADE:
        place = folder / path
        place.with_name(f".{place.name}.cmd").write_text("its command\n")
    (folder / "scripts/basic/fixdep").chmod(0o755)
    (folder / "include/config/auto.conf").write_text("CONFIG_MODULES=y\n")
    return folder


def packed(kernel: Path, arch: str = "riscv", umask: int = 0o022, **further: str) -> Path:
    archive = kernel.parent / "stage/kernel.tar"
    command = ("sh", str(SCRIPT), arch, str(archive))
    env = {"PATH": os.environ["PATH"], **further}
    subprocess.run(command, cwd=kernel, env=env, umask=umask, check=True)
    return archive


def names(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return set(tar.getnames())


def test_headers_kbuild_and_what_it_has_made_for_modules_are_packed_and_nothing_else(
    kernel: Path,
) -> None:
    assert names(packed(kernel)) == EXPECTED


@pytest.mark.parametrize("arch", ["i386", "x86", "x86_64"])
def test_the_folder_of_a_processor_may_have_another_name(kernel: Path, arch: str) -> None:
    found = names(packed(kernel, arch))
    assert {"arch/x86/Makefile", "arch/x86/include/asm/io.h"} <= found
    assert "arch/riscv/Makefile" not in found


def test_a_program_is_packed_if_the_configuration_needs_it(kernel: Path) -> None:
    (kernel / "include/config/auto.conf").write_text("CONFIG_OBJTOOL=y\n")
    assert names(packed(kernel)) == {*EXPECTED, "tools/objtool/objtool"}


PLUGINS = """\
gcc-plugin-$(CONFIG_GCC_PLUGIN_STRUCTLEAK) += structleak_plugin.so
gcc-plugin-external-$(CONFIG_GCC_PLUGIN_RANDSTRUCT) += randomize_layout_plugin.so
gcc-plugin-$(CONFIG_GCC_PLUGIN_STACKLEAK) += stackleak_plugin.so
GCC_PLUGIN := $(gcc-plugin-y) $(gcc-plugin-external-y)
"""


def test_plugins_of_the_compiler_are_packed_if_the_configuration_has_them(kernel: Path) -> None:
    names_of = {"structleak", "randomize_layout", "stackleak"}
    folder = kernel / "scripts/gcc-plugins"
    folder.mkdir()
    for name in names_of:
        (folder / f"{name}_plugin.so").write_text(name)
        (folder / f".{name}_plugin.so.cmd").write_text("its command\n")
    (kernel / "scripts/Makefile.gcc-plugins").write_text(PLUGINS)
    configured = kernel / "include/config/auto.conf"
    further = {*EXPECTED, "scripts/Makefile.gcc-plugins"}
    configured.write_text("CONFIG_GCC_PLUGIN_STRUCTLEAK=y\n")
    assert names(packed(kernel)) == further
    chosen = "CONFIG_GCC_PLUGIN_STRUCTLEAK=y\nCONFIG_GCC_PLUGIN_RANDSTRUCT=y\n"
    configured.write_text(f"CONFIG_GCC_PLUGINS=y\n{chosen}")
    archive = packed(kernel, MAKEFLAGS="-j --jobserver-auth=97,98")
    plugins = ("structleak_plugin.so", "randomize_layout_plugin.so")
    assert names(archive) == {*further, *(f"scripts/gcc-plugins/{name}" for name in plugins)}


def test_a_plugin_that_is_missing_is_an_error(kernel: Path) -> None:
    (kernel / "scripts/Makefile.gcc-plugins").write_text("GCC_PLUGIN := lost_plugin.so\n")
    (kernel / "include/config/auto.conf").write_text("CONFIG_GCC_PLUGINS=y\n")
    with pytest.raises(subprocess.CalledProcessError):
        packed(kernel)


@pytest.mark.parametrize("name", ["new\nline.h", "back\\slash.h", " spaces .h", "-option.h"])
def test_a_name_may_have_any_characters(kernel: Path, name: str) -> None:
    for folder in ("include/linux", "arch/riscv/include/asm", "scripts"):
        (kernel / folder / name).write_text("unusual")
    unusual = {f"include/linux/{name}", f"arch/riscv/include/asm/{name}", f"scripts/{name}"}
    assert names(packed(kernel)) == {*EXPECTED, *unusual}


@pytest.mark.parametrize("start", ["arch/riscv", "scripts", "include"])
def test_a_list_of_files_that_is_not_complete_is_an_error(kernel: Path, start: str) -> None:
    real = shutil.which("find")
    programs = kernel.parent / "programs"
    programs.mkdir()
    # Reading a folder fails halfway, as on a damaged disk.
    (programs / "find").write_text(f'#!/bin/sh\n{real} "$@"\n[ "$1" != {start} ]\n')
    (programs / "find").chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError):
        packed(kernel, PATH=f"{programs}:{os.environ['PATH']}")


def test_a_missing_file_is_an_error(kernel: Path) -> None:
    (kernel / "Module.symvers").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        packed(kernel)


def test_the_archive_depends_on_names_contents_and_who_may_run_a_file_alone(kernel: Path) -> None:
    first = packed(kernel).read_bytes()
    for path in kernel.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
            path.chmod(0o700 if path.stat().st_mode & 0o100 else 0o600)
    assert packed(kernel, umask=0o077).read_bytes() == first
    (kernel / "scripts/basic/fixdep").chmod(0o644)
    assert packed(kernel).read_bytes() != first
