"""Boards with another kernel or with a boot loader: those of docs/examples/vendor.

Each is minutes of compiling, so the name of this file does not begin with test_: pytest collects it
when it is named.

    .venv/bin/python -P -m pytest tests/boot/every_kernel.py
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import installed
from boot.conftest import TOP, start
from boot.guest import Guest
from boot.lines import complaints

pytestmark = pytest.mark.boot
KNOWN = ("cacheinfo: Unable to detect cache hierarchy", "syscon-poweroff: probe of poweroff failed")
"""Linux 6.1 says this of a tree without caches, and where the firmware switches the machine off."""
EXAMPLE = TOP / "docs/examples/vendor"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, outside of Quardroot's folder as every product tree."""
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("vendor") / "tree"))


@contextmanager
def booted(board: str, tree: Path, folder: Path, config: pytest.Config) -> Iterator[Guest]:
    """Build a board of the example and boot it, with root logged in."""
    start(TOP, config, f"trees.paths={tree}", f"BOARD={board}")
    with Guest(TOP / "out" / board / "images/run.sh", folder) as guest:
        guest.boot()
        guest.log_in()
        yield guest
        assert guest.power_off()[0] == 0


@pytest.fixture(scope="module")
def vendor(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Guest]:
    """The board with a vendor's kernel and device tree."""
    folder = tmp_path_factory.mktemp("guest")
    with booted("vendor-kernel", tree, folder, pytestconfig) as guest:
        yield guest


def test_the_kernel_is_the_vendors_with_its_patch_and_its_fragment(vendor: Guest) -> None:
    said = complaints(vendor.boot_log)
    assert [line for line in said if not any(known in line for known in KNOWN)] == []
    assert vendor.check("uname -r") == "6.1.176-acme"
    assert vendor.check("cat /proc/version").endswith("\nPatched by Acme")


def test_the_device_tree_is_the_boards_own(vendor: Guest) -> None:
    assert vendor.check("tr -d '\\0' </proc/device-tree/model") == "Acme Widget"
    # KEY_POWER of a header in the kernel's source, 116.
    key = vendor.check("od -An -tx1 /proc/device-tree/acme,power-key")
    assert key.split() == ["00", "00", "00", "74"]
    images = TOP / "out/vendor-kernel/images"
    assert (images / "hifive-unleashed-a00.dtb").read_bytes()[:4] == bytes.fromhex("d00dfeed")


def test_network_and_disks_work_with_the_vendors_kernel(vendor: Guest) -> None:
    assert vendor.check("cat /run/boot-status") == "ok"
    vendor.check("ping -c 1 192.168.31.2 && touch /data/there")


@pytest.mark.parametrize(
    ("board", "before"),
    [("vendor-u-boot", ("OpenSBI v",)), ("vendor-u-boot-aarch64", ())],
    ids=["riscv64", "aarch64"],
)
def test_u_boot_starts_the_kernel_by_its_script(
    board: str, before: tuple[str, ...], tree: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    with booted(board, tree, tmp_path, pytestconfig) as guest:
        said = [line.strip() for line in guest.boot_log.splitlines()]
        order = (*before, "U-Boot 2025.01", "u-boot starts the kernel", "Starting kernel")
        places = [next(n for n, line in enumerate(said) if line.startswith(o)) for o in order]
        assert places == sorted(places)
        assert "root=/dev/vda" in guest.check("cat /proc/cmdline")
        assert guest.check("cat /run/boot-status") == "ok"


def test_u_boot_installs_what_is_on_file(
    tree: Path, pytestconfig: pytest.Config, update: bool
) -> None:
    start(TOP, pytestconfig, f"trees.paths={tree}", "BOARD=vendor-u-boot", "u-boot")
    if changes := installed.changes(TOP, "vendor-u-boot", "u-boot", __file__, update=update):
        pytest.fail(changes, pytrace=False)
