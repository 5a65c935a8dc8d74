"""A package with modules, as linux has: built, installed, indexed where they are asked for."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from incremental.menu import CONF
from incremental.project import Project
from quard.parts import elf

RECIPE = """\
from quard.model import Install, Kconfig, Source
RECIPE = Kconfig(
    summary="a kernel of a few lines",
    version="1",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    variables=("CC={{cross}}gcc",),
    base="allnoconfig",
    refresh="oldconfig",
    fragments=("kernel.fragment",),
    make=("core",),
    modules=("modules",),
    modules_install=("INSTALL_MOD_PATH={{stage}}", "DEPMOD=true", "modules_install"),
    finish=(Install("core", "usr/bin/core", mode="0755"),),
)
"""
MAKEFILE = """\
modules := $(shell sed -n 's/^CONFIG_\\(.*\\)=m$$/\\1/p' .config)
place = $(INSTALL_MOD_PATH)/lib/modules/1.0
core: core.c
\t$(CC) $(CFLAGS) -o $@ core.c
allnoconfig:
\t: >.config
\tawk -f conf.awk .config Kconfig >.new && mv .new .config
oldconfig:
\tawk -f conf.awk .config Kconfig >.new && mv .new .config
modules: $(modules:%=%.ko)
%.ko: %.c
\t$(CC) -g -c -o $@ $<
modules_install:
\ttest -n '$(modules)'
\tmkdir -p $(place)/kernel
\tcp $(modules:%=%.ko) $(place)/kernel/
\tln -s $(CURDIR) $(place)/build
\tln -s $(CURDIR) $(place)/source
\t$(DEPMOD) 1.0
"""
INFO = 'static const char info[] __attribute__((section(".modinfo"), used)) =\n'
BUS = INFO + '    "alias=bus:*\\0depends=\\0license=GPL";\nint bus_used(void) { return 1; }\n'
NET = INFO + '    "alias=bus:net[0-2]\\0depends=BUS";\nint net_used(void) { return 2; }\n'
FOLDER = "usr/lib/modules/1.0"
INDEX = {f"{FOLDER}/modules.{name}" for name in ("alias", "dep", "symbols")}


@pytest.fixture
def kernel(project: Project) -> Project:
    files = {
        "Makefile": MAKEFILE,
        "conf.awk": CONF,
        "Kconfig": "BUS n\nNET n\n",
        "core.c": "int main(void) { return 0; }\n",
        "BUS.c": BUS,
        "NET.c": NET,
    }
    url, sha256 = project.archive("kernel", "1", files)
    (project.folder / "packages/kernel").mkdir()
    project.recipe("kernel").write_text(RECIPE.format(url=url, sha256=sha256))
    ask(project, "# CONFIG_NET is not set")
    project.board(["libc", "kernel"])
    return project


def ask(project: Project, *lines: str) -> None:
    fragment = project.folder / "packages/kernel/kernel.fragment"
    fragment.write_text("".join(f"{line}\n" for line in lines))


def built(project: Project, *arguments: str) -> dict[str, bytes]:
    """Build and return the image's files of modules and their indexes."""
    ran = project.run(*arguments)
    assert ran.status == 0, ran.text
    found = {}
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        for member in tar:
            if member.name.startswith("usr/lib/modules/") and not member.isdir():
                file = tar.extractfile(member)
                assert file is not None, f"{member.name} is no file"
                found[member.name] = file.read()
    return found


def log(project: Project) -> str:
    return (project.folder / "out/tiny/logs/kernel.log").read_text()


def test_modules_are_installed_and_indexed(kernel: Project) -> None:
    ask(kernel, "CONFIG_BUS=m", "CONFIG_NET=m")
    found = built(kernel)
    assert set(found) == {f"{FOLDER}/kernel/BUS.ko", f"{FOLDER}/kernel/NET.ko", *INDEX}
    assert found[f"{FOLDER}/modules.dep"] == b"kernel/BUS.ko:\nkernel/NET.ko: kernel/BUS.ko\n"
    assert found[f"{FOLDER}/modules.alias"] == b"alias bus:* BUS\nalias bus:net[012] NET\n"
    manifest = json.loads((kernel.folder / "out/tiny/images/manifest.json").read_text())
    assert manifest[f"/{FOLDER}/modules.dep"]["package"] == "system"


def test_without_modules_there_is_no_file_no_folder_and_no_command(kernel: Project) -> None:
    ask(kernel, "CONFIG_BUS=y")
    assert built(kernel) == {}
    manifest = json.loads((kernel.folder / "out/tiny/images/manifest.json").read_text())
    assert "/usr/lib/modules" not in manifest
    assert "modules" not in log(kernel)


def test_a_module_that_is_built_in_or_left_out_later_is_gone_from_the_image(
    kernel: Project,
) -> None:
    ask(kernel, "CONFIG_BUS=m", "CONFIG_NET=m")
    built(kernel)
    ask(kernel, "CONFIG_BUS=m", "# CONFIG_NET is not set")
    assert set(built(kernel)) == {f"{FOLDER}/kernel/BUS.ko", *INDEX}
    assert "==> update" in log(kernel)
    ask(kernel, "CONFIG_BUS=y", "# CONFIG_NET is not set")
    assert built(kernel) == {}
    ask(kernel, "CONFIG_BUS=m", "CONFIG_NET=m")
    assert len(built(kernel)) == 5


def test_a_module_is_stripped_of_lines_and_its_symbols_lie_at_its_path_for_gdb(
    kernel: Project,
) -> None:
    ask(kernel, "CONFIG_BUS=m")
    whole = built(kernel)[f"{FOLDER}/kernel/BUS.ko"]
    module = kernel.folder / "BUS.ko"
    module.write_bytes(whole)
    assert sections(module) & {".modinfo", ".symtab"} == {".modinfo", ".symtab"}
    assert not [name for name in sections(module) if name.startswith(".debug_")]
    kernel.run("run", "DEBUG=1")
    debug = f"out/tiny/debug/root/usr/lib/debug/{FOLDER}/kernel/BUS.ko.debug"
    assert ".debug_info" in sections(kernel.folder / debug)


def test_a_module_whose_need_is_dropped_is_refused(kernel: Project) -> None:
    ask(kernel, "CONFIG_NET=m")
    ran = kernel.run()
    assert ran.status == 2
    assert "reason: missing-module" in ran.err, ran.text
    assert f"/{FOLDER}/kernel/NET.ko" in ran.err and "BUS" in ran.err


def sections(path: Path) -> set[str]:
    return {section.name for section in elf.read(path).sections}
