"""The example of boards with another kernel or a boot loader: their plans, machines and scripts.

tests/boot/every_kernel.py builds and boots them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.boards import board
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.machine.machine import Machine, load
from quard.machine.runscript import script, template
from quard.plan.kconfig import kconfig_step
from quard.plan.plan import Plan
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.recipes.catalog import Catalog

TOP = Path(__file__).resolve().parents[3]
EXAMPLE = TOP / "docs/examples/vendor"
TREES = Trees(TOP, {"vendor": EXAMPLE})
BOARDS = sorted(path.stem for path in (EXAMPLE / "configs").glob("*.toml"))


def resolved(name: str) -> Resolved:
    own = board.load(TREES, name).own
    catalog = Catalog(TOP / "packages").of(own.configuration.target, TREES)
    resolver = Resolver(own, catalog, Fragments(TREES, own.configuration))
    return resolver.resolve(dict.fromkeys(resolver.choices(), True), {})


def machine(name: str) -> Machine:
    return load(TREES.path(TREES.find(f"qemu/{board.load(TREES, name).machine}.toml")))


def different(name: str) -> dict[str, Plan]:
    """Return the plans that the small board does not have."""
    usual = resolved("quard-star-small").plans
    return {n: plan for n, plan in resolved(name).plans.items() if usual.get(n) != plan}


@pytest.mark.parametrize("name", BOARDS)
def test_the_machine_finds_each_of_its_files_beside_the_images(name: str) -> None:
    found, used = resolved(name), machine(name)
    deployed = {file for package in found.deploying for file in found.deployed(package)}
    files = {used.kernel, used.firmware, used.devicetree, *(file for file, _ in used.loaded)}
    assert files - {""} <= deployed
    text = script(used, template(TOP / "qemu/run"), board=name, data="", formats=("ext4",))
    assert all(file in text for file in files)


def test_the_vendors_kernel_is_the_only_package_that_differs() -> None:
    plans = different("vendor-kernel")
    assert [*plans] == ["linux"]
    plan, step = plans["linux"], kconfig_step(plans["linux"])
    assert (plan.version, [patch.name for patch in plan.patches]) == (
        "6.1.176",
        ["board-0-0001-proc-version.patch"],
    )
    assert step and step.fragments[-1] == "board-0-vendor.fragment"
    assert resolved("vendor-kernel").deployed("linux") == (
        "hifive-unleashed-a00.dtb",
        "widget.dtb",
        "Image",
    )


def test_u_boot_is_added_to_the_small_board() -> None:
    plans = different("vendor-u-boot")
    assert [*plans] == ["u-boot"]
    assert resolved("vendor-u-boot").deployed("u-boot") == ("boot.scr", "u-boot.bin")


def test_u_boot_has_the_default_configuration_of_its_target() -> None:
    for name, base in {
        "vendor-u-boot": "qemu-riscv64_smode_defconfig",
        "vendor-u-boot-aarch64": "qemu_arm64_defconfig",
    }.items():
        step = kconfig_step(resolved(name).plans["u-boot"])
        assert step and step.base == base
