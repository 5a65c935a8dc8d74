"""Boards that build a package from another source, with patches, files and device trees."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from incremental.menu import CONF
from incremental.project import Project, Ran, ok

RECIPE = """\
from quard.model import Install, Kconfig, Source
RECIPE = Kconfig(
    summary="a kernel of a few lines",
    version="1",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    variables=["CC={{cross}}gcc"],
    base="allnoconfig",
    refresh="oldconfig",
    fragments=["kernel.fragment"],
    make=["core"],
    devicetrees="arch/{{linux_arch}}/boot/dts",
    finish=[
        Install("core", "usr/bin/core", mode="0755"),
        Install("{{files}}/boot.cmd", "boot/boot.cmd"),
    ],
)
"""
MAKEFILE = """\
dts := arch/riscv/boot/dts
core: core.c
\t$(CC) $(CFLAGS) -DVERSION='"$(shell cat version)"' -o $@ core.c
\techo compiled
allnoconfig:
\t: >.config
\tawk -f conf.awk .config Kconfig >.new && mv .new .config
%_defconfig:
\ttest -f arch/riscv/configs/$@ || { echo "*** Can't find default configuration" \\
\t\t"\\"arch/riscv/configs/$@\\"!"; exit 1; }
\tcp arch/riscv/configs/$@ .config
oldconfig:
\tawk -f conf.awk .config Kconfig >.new && mv .new .config
%.dtb:
\t$(MAKE) -f trees.mk $(dts)/$@
"""
TREES = """\
dts := arch/riscv/boot/dts
$(dts)/%.dtb: $(dts)/%.dts
\techo "blob of $*"
\tcat $< >$@
"""
CODE = """\
#include <stdio.h>
int main(void) { return puts(VERSION) < 0; }
"""
PATCH = """\
Says more.

--- a/version
+++ b/version
@@ -1 +1 @@
-{old}
+{new}
"""


def sources(version: str) -> dict[str, str]:
    return {
        "Makefile": MAKEFILE,
        "trees.mk": TREES,
        "conf.awk": CONF,
        "Kconfig": "NET n\nDEBUG n\n",
        "core.c": CODE,
        "version": f"{version}\n",
        "arch/riscv/boot/dts/acme/eval.dts": "in the source\n",
        "arch/riscv/configs/acme_defconfig": "CONFIG_DEBUG=y\n",
    }


class Boards:
    """The project's board `tiny`, and `vendor`, which has another kernel."""

    def __init__(self, project: Project) -> None:
        self.project = project
        folder = project.folder / "packages/kernel"
        folder.mkdir()
        url, sha256 = project.archive("kernel", "1", sources("1"))
        project.recipe("kernel").write_text(RECIPE.format(url=url, sha256=sha256))
        self.write("packages/kernel/kernel.fragment", "CONFIG_NET=y\n")
        self.write("packages/kernel/boot.cmd", "of the recipe\n")
        self.write("packages/kernel/0001-own.patch", PATCH.format(old="1", new="1 patched"))
        self.write("acme/boot.cmd", "of the vendor\n")
        self.write("acme/0001-more.patch", PATCH.format(old="2", new="2 patched"))
        self.write("acme/own.dts", "/include/ own\n")
        self.write("acme/own.dtsi", "included\n")
        project.board(["libc", "kernel"])
        self.url, self.sha256 = project.archive("kernel", "2", sources("2"))

    def write(self, path: str, text: str) -> None:
        place = self.project.folder / path
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)

    def vendor(self, text: str = "", source: bool = True) -> None:
        """Write the vendor's board."""
        if source:
            text = (
                f'sources.kernel = {{version="2", address="{self.url}", sha256="{self.sha256}"}}\n'
                f"{text}"
            )
        include = 'include = ["tiny"]\nsummary = "the vendor\'s"\n'
        self.write("configs/vendor.toml", f"{include}{text}")

    def run(self, *arguments: str) -> Ran:
        return self.project.run(*arguments, board="vendor")

    def image(self, name: str, board: str = "vendor") -> str:
        return (self.project.folder / f"out/{board}/images" / name).read_text()

    def core(self, board: str) -> bytes:
        """Return the program, as the image's tar has it."""
        return (self.project.folder / f"out/{board}/images/rootfs.tar").read_bytes()

    @property
    def log(self) -> str:
        return (self.project.folder / "out/vendor/logs/kernel.log").read_text()


@pytest.fixture
def boards(project: Project) -> Boards:
    return Boards(project)


FULL = """\
patches.kernel = ["acme/0001-more.patch"]
files.kernel = ["acme/boot.cmd"]
defconfigs.kernel = "acme_defconfig"
devicetrees.kernel = ["acme/eval.dtb", "acme/own.dts", "acme/own.dtsi"]
"""


def test_comments_of_fragments_rebuild_nothing_and_settings_do(boards: Boards) -> None:
    boards.write("acme/board.fragment", "CONFIG_DEBUG=y\n")
    boards.vendor('fragments.kernel = ["acme/board.fragment"]')
    ok(boards.run())
    boards.write("packages/kernel/kernel.fragment", "# Of the recipe.\n\nCONFIG_NET=y\n")
    boards.write("acme/board.fragment", "CONFIG_DEBUG=y  \n# Of the board.\n")
    assert ok(boards.run()).built == []
    boards.write("acme/board.fragment", "# CONFIG_DEBUG is not set\n")
    assert "kernel      file acme/board.fragment changed\n" in ok(boards.run("why")).out
    assert ok(boards.run()).built == ["kernel"]


def test_boards_with_different_kernels_share_everything_else(boards: Boards) -> None:
    ok(boards.project.run())
    boards.vendor(FULL)
    ran = ok(boards.run())
    assert ran.built == ["kernel"]
    assert b"1 patched" in boards.core("tiny") and b"2 patched" in boards.core("vendor")
    assert boards.image("boot.cmd") == "of the vendor\n"
    assert boards.image("boot.cmd", "tiny") == "of the recipe\n"
    assert boards.image("eval.dtb") == "in the source\n"
    assert boards.image("own.dtb") == "/include/ own\n"
    for name in ("tiny", "vendor"):
        again = ok(boards.project.run(board=name))
        assert (again.built, "up to date" in again.text) == ([], True), again.text
    shown = ok(boards.run("info", "kernel")).out
    for line in (
        "version: 2\n",
        "changed_by: configs/vendor.toml: sources patches files defconfigs devicetrees\n",
        "patches: acme/0001-more.patch\n",
        "base: acme_defconfig\n",
        "devicetrees: acme/eval.dtb acme/own.dts acme/own.dtsi\n",
    ):
        assert line in shown
    assert "sources.kernel.version: 2\n" in ok(boards.run("info")).out


def test_a_device_tree_is_compiled_again_without_the_kernel(boards: Boards) -> None:
    boards.vendor('devicetrees.kernel = ["acme/eval.dtb", "acme/own.dts"]\n', source=False)
    ok(boards.run())
    assert "compiled\n" in boards.log
    boards.write("acme/own.dts", "another one\n")
    assert "kernel      file acme/own.dts changed\n" in ok(boards.run("why")).out
    ran = ok(boards.run())
    assert ran.built == ["kernel"]
    assert boards.image("own.dtb") == "another one\n"
    assert "blob of own\n" in boards.log
    assert "compiled\n" not in boards.log and "blob of acme/eval\n" not in boards.log


def test_a_changed_patch_of_the_board_rebuilds_its_kernel_alone(boards: Boards) -> None:
    boards.vendor(FULL)
    ok(boards.run())
    ok(boards.project.run())
    boards.write("acme/0001-more.patch", PATCH.format(old="2", new="2 mended"))
    assert ok(boards.run()).built == ["kernel"]
    assert b"2 mended" in boards.core("vendor")
    assert ok(boards.project.run()).built == []


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ('patches.kernel = ["packages/kernel/0001-own.patch"]', "patch-failed",
         "patch packages/kernel/0001-own.patch does not apply"),
        ('patches.kernel = ["acme/0001-mor.patch"]', "bad-board", "did you mean '0001-more.patch'"),
        ('defconfigs.kernel = "acm_defconfig"', "unknown-defconfig", "mean 'acme_defconfig'"),
        ('devicetrees.kernel = ["acme/evil.dtb"]', "unknown-device-tree", "mean 'acme/eval.dtb'"),
        ('devicetrees.kernel = ["acme/owm.dts"]', "bad-board", "did you mean 'own.dts'"),
        ('fragments.kernel = ["acme/own.dtsi"]', "bad-fragment",
         "error: acme/own.dtsi is not a configuration fragment"),
        ('patches.kernal = ["acme/0001-more.patch"]', "unknown-package", "did you mean 'kernel'"),
        ('sources.kernel.sha512 = "x"', "bad-board", "unknown key sources.kernel.sha512"),
        ('sources.kernel.version = "3"', "bad-board", "sha256 is missing"),
        (f'sources.kernel = {{version = "2", sha256 = "{"0" * 64}"}}',
         "hash-mismatch", "does not match the recipe"),
    ],
)  # fmt: skip
def test_what_the_source_does_not_have_is_one_block(
    boards: Boards, text: str, reason: str, said: str
) -> None:
    boards.vendor(text, source="sources" not in text)
    ran = boards.run()
    assert ran.status == 2, ran.text
    assert f"reason: {reason}\n" in ran.err and said in ran.err
    assert ran.err.count("reason: ") == 1
    assert "Traceback" not in ran.text


def test_the_vendors_source_is_fetched_ahead(boards: Boards) -> None:
    boards.vendor(FULL)
    ok(boards.run("source"))
    archive = boards.project.sources / Path(boards.url).name
    archive.unlink()
    assert ok(boards.run()).built.count("kernel") == 1


def test_a_checkout_is_used_only_for_a_board_with_its_source_and_patches(boards: Boards) -> None:
    boards.vendor('patches.kernel = ["acme/0001-more.patch"]\n')
    project, vendor, patch = boards.project.run, boards.run, "0001-more.patch"
    new, removed = f"  acme/{patch}: new\n", f"  {patch} of the board: removed\n"
    for mine, other, said in ((project, vendor, new), (vendor, project, removed)):
        ok(mine("kernel-edit"))
        refused = other()
        assert refused.status == 2 and "reason: edit-outdated\n" in refused.err
        assert said in refused.err
        ok(mine())
        shutil.rmtree(boards.project.folder / "edit/kernel")
