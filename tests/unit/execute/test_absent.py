"""Names that a source lacks, as make and Kbuild's own programs report them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.execute.absent import absent


@pytest.fixture
def src(tmp_path: Path) -> Path:
    """Folders as linux and u-boot have them."""
    for name in (
        "arch/riscv/configs/acme_defconfig",
        "arch/riscv/configs/defconfig",
        "arch/riscv/boot/dts/acme/board.dts",
        "arch/riscv/boot/dts/acme/board-v2.dts",
        "arch/riscv/boot/dts/acme/pins.dtsi",
        "configs/qemu-riscv64_defconfig",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


TREE = """\
make[3]: *** No rule to make target 'arch/riscv/boot/dts/acme/bord.dtb'.  Stop.
make[2]: *** [scripts/Makefile.build:478: arch/riscv/boot/dts] Error 2
"""
CONFIG = """\
***
*** Can't find default configuration "arch/riscv/configs/acmee_defconfig"!
***
"""


def test_a_device_tree_is_named_with_those_that_the_source_has(src: Path) -> None:
    found = absent(("make", "ARCH=riscv", "acme/bord.dtb", "own.dtb"), TREE.encode(), src)
    assert found == (
        "unknown-device-tree",
        "the source has no acme/bord.dtb in arch/riscv/boot/dts/\n"
        "it has: acme/board.dtb, acme/board-v2.dtb",
        "did you mean 'acme/board.dtb'?",
    )


def test_a_default_configuration_is_named_with_those_that_the_source_has(src: Path) -> None:
    found = absent(("make", "ARCH=riscv", "acmee_defconfig"), CONFIG.encode(), src)
    assert found == (
        "unknown-defconfig",
        "the source has no default configuration acmee_defconfig\n"
        "it has: acme_defconfig, defconfig",
        "did you mean 'acme_defconfig'?",
    )
    log = b"make: *** No rule to make target 'qemu-riscv_defconfig'.  Stop.\n"
    found = absent(("make", "qemu-riscv_defconfig"), log, src)
    assert found is not None
    assert found[0::2] == ("unknown-defconfig", "did you mean 'qemu-riscv64_defconfig'?")


def test_a_name_like_no_other_has_no_suggestion(src: Path) -> None:
    log = b"make: *** No rule to make target 'zzz.config'.  Stop.\n"
    found = absent(("make", "zzz.config"), log, src)
    assert found is not None and found[2] == "correct the name in the board's file"


@pytest.mark.parametrize("place", ["/{top}/outside", "../outside", "loop", "link", "nul\0"])
def test_a_log_leads_nowhere_but_into_the_source(tmp_path: Path, place: str) -> None:
    src, outside = tmp_path / "src", tmp_path / "outside"
    src.mkdir()
    outside.mkdir()
    (outside / "board.dts").touch()
    (outside / "acme_defconfig").touch()
    (src / "loop").symlink_to("loop")
    (src / "link").symlink_to(outside)
    place = place.format(top=tmp_path)
    log = f"""\
make: *** No rule to make target '{place}/bord.dtb'.  Stop.
*** Can't find default configuration "{place}/acmee_defconfig"!
"""
    for word in ("bord.dtb", "acmee_defconfig"):
        found = absent(("make", word), log.encode(), src)
        assert found is None or "it has" not in found[1]


@pytest.mark.parametrize(
    ("argv", "log"),
    [
        (("make", "Image"), "make: *** No rule to make target 'Image'.  Stop."),
        (("make", "own.dtb"), "own.dts:3.1-4 syntax error"),
        (("make", "own.dtb"), "No rule to make target 'a/pins.dtsi', needed by 'a/own.dtb'."),
        (("make", "olddefconfig"), "Kconfig:3: syntax error"),
    ],
)
def test_other_failures_are_not_explained(argv: tuple[str, ...], log: str, src: Path) -> None:
    assert absent(argv, log.encode(), src) is None
