"""Modules that are packages of their own: what they are built with, and what rebuilds them."""

from __future__ import annotations

import tarfile

import pytest

from incremental.menu import CONF
from incremental.project import Project, ok

KERNEL = """\
from quard.model import Install, Kconfig, Run, Source
RECIPE = Kconfig(
    summary="a kernel of a few lines",
    version="1",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    variables=["CC={{cross}}gcc"],
    refresh="oldconfig",
    make=["core"],
    modules=["modules"],
    modules_install=["INSTALL_MOD_PATH={{stage}}", "modules_install"],
    modules_finish=[Run("sh", "pack.sh", "{{stage}}/usr/src")],
    finish=[Install("core", "usr/bin/core", mode="0755")],
    provides=["kernel"],
)
"""
MAKEFILE = """\
place = $(INSTALL_MOD_PATH)/lib/modules/1.0
core: core.c
\t$(CC) $(CFLAGS) -o $@ core.c
allnoconfig:
\t: >.config
\tawk -f conf.awk .config Kconfig >.new && mv .new .config
oldconfig:
\tawk -f conf.awk .config Kconfig >.new && mv .new .config
modules:
\tset -e; for each in $(basename $(wildcard $(M)/*.c)); do \\
\t    $(CROSS_COMPILE)gcc -I$(CURDIR) -c -o $$each.ko $$each.c; done
modules_install:
\tmkdir -p $(place)/updates
\t$(if $(M),cp $(M)/*.ko $(place)/updates/,ln -s $(CURDIR) $(place)/build)
"""
PACK = "mkdir -p $1 && tar -cf $1/kernel.tar --mtime=@0 --owner=0 --group=0 Makefile api.h\n"
MODULE = """\
from quard.model import KernelModule, Source
RECIPE = KernelModule(
    summary="a module",
    version="1",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
)
"""
INFO = '#include <api.h>\nstatic const char info[] __attribute__((section(".modinfo"), used)) =\n'
CODE = INFO + '    "depends=\\0license=GPL";\nint extra_answer(void) { return ANSWER; }\n'
FOLDER = "usr/lib/modules/1.0"


def kernel(project: Project, core: str = "return 0;", answer: int = 1) -> None:
    """Write the kernel with the code of a driver, and a number in a header."""
    files = {
        "Makefile": MAKEFILE,
        "conf.awk": CONF,
        "Kconfig": "MODULES n\nBUS n\n",
        "core.c": f"int main(void) {{ {core} }}\n",
        "api.h": f"#define ANSWER {answer}\n",
        "pack.sh": PACK,
    }
    project.package(KERNEL, "kernel", "1", files)


def module(project: Project, code: str = CODE) -> None:
    project.package(MODULE, "module", "1", {"extra.c": code})


@pytest.fixture
def modular(project: Project) -> Project:
    kernel(project)
    module(project)
    project.board(["kernel", "libc", "module"])
    return project


def modules(project: Project) -> set[str]:
    """Return the paths of the image's modules, and of the list of them."""
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        return {name for name in tar.getnames() if name.endswith((".ko", "/modules.dep"))}


def test_each_is_built_again_for_what_it_depends_on_alone(modular: Project) -> None:
    assert {*ok(modular.run()).built} == {"kernel", "libc", "module"}
    assert modules(modular) == {f"{FOLDER}/updates/extra.ko", f"{FOLDER}/modules.dep"}
    assert ok(modular.run()).built == []
    kernel(modular, core="return 1;")
    assert ok(modular.run()).built == ["kernel"]
    kernel(modular, core="return 1;", answer=2)
    assert ok(modular.run()).built == ["kernel", "module"]
    module(modular, CODE.replace("return", "return 1 +"))
    assert ok(modular.run()).built == ["module"]


def test_a_local_tree_of_a_module_is_compiled_again_where_it_was(modular: Project) -> None:
    ok(modular.run())
    tree = modular.folder.parent / "tree"
    tree.mkdir()
    (tree / "extra.c").write_text(CODE)
    (tree / "COPYING").write_text("MIT\n")
    assert ok(modular.run(f"override.module={tree}")).built == ["module"]
    (tree / "extra.c").write_text(CODE.replace("return", "return 1 +"))
    assert ok(modular.run(f"override.module={tree}")).built == ["module"]
    log = (modular.folder / "out/tiny/logs/module.log").read_text()
    assert "==> update" in log
    assert "configure:" not in log
    kernel(modular, answer=2)
    assert ok(modular.run(f"override.module={tree}")).built == ["kernel", "module"]
    assert "==> update" not in (modular.folder / "out/tiny/logs/module.log").read_text()


def test_a_module_that_does_not_compile_leaves_the_kernel_built(modular: Project) -> None:
    module(modular, CODE.replace("ANSWER", "UNKNOWN"))
    ran = modular.run()
    assert ran.status == 2
    assert "reason: build-failed" in ran.err, ran.text
    assert "UNKNOWN" in ran.err
    module(modular)
    assert ok(modular.run()).built == ["module"]


def test_a_module_without_a_kernel_or_without_modules_in_it_is_refused(modular: Project) -> None:
    modular.board(["libc", "module"])
    assert "reason: no-kernel" in modular.run().err
    modular.board(["kernel", "libc"])
    ran = modular.run("module")
    assert ran.status == 2
    assert "reason: kernel-without-modules" in ran.err, ran.text
    modular.board(["kernel", "libc", "module"])
    (modular.folder / "configs/tiny").mkdir()
    (modular.folder / "configs/tiny/kernel.fragment").write_text("# CONFIG_MODULES is not set\n")
    ran = modular.run()
    assert ran.status == 2
    assert "reason: kernel-option-conflict" in ran.err, ran.text
