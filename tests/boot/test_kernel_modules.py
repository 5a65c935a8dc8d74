"""A board whose kernel has modules: loaded on demand, and for the devices that are found."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

import installed
from boot import small
from boot.checks import ADDRESS
from boot.guest import Guest
from boot.lines import complaints

pytestmark = [pytest.mark.boot, pytest.mark.share("modules")]
BOARD = "with-modules"
FRAGMENT = """\
CONFIG_MODULES=y
CONFIG_MODULE_UNLOAD=y
CONFIG_MACVLAN=m
CONFIG_HW_RANDOM_VIRTIO=m
CONFIG_VIRTIO_NET=m
CONFIG_BLK_DEV_DM=m
CONFIG_LIBCRC32C=m
CONFIG_BLK_DEV_RAM=m
CONFIG_BLK_DEV_RAM_SIZE=16384
"""
"""One that is asked for by name, drivers of devices that are there before mdev is, and what the
module of another package depends on.
"""
OTHER = "dm-writeboost"
"""A package with a module that is not part of the kernel's source."""
DRIVERS = {"virtio_rng", "virtio_net", "net_failover", "failover"}
WRITEBOOST = Path(__file__).with_name("programs") / "writeboost.c"
ROOTS = {"ext4": {}, "squashfs": {"ROOT": "squashfs"}, "initramfs": {"ROOT": "cpio"}}


@pytest.fixture(scope="module")
def modular_images(small_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small board with modules, in a checkout of its own; the store is the user's."""
    del small_images  # its build has made all but the kernel
    folder = tmp_path_factory.mktemp("modules")
    old, new = 'formats = ["ext4"]', 'formats = ["ext4", "squashfs", "cpio.gz"]'
    small.changed(folder, BOARD, old, new)
    board = folder / f"configs/{BOARD}.toml"
    text = board.read_text(encoding="utf-8")
    board.write_text(
        text.replace("packages = [", f'packages = [\n    "{OTHER}",'), encoding="utf-8"
    )
    (folder / "configs" / BOARD).mkdir()
    (folder / f"configs/{BOARD}/linux.fragment").write_text(FRAGMENT, encoding="ascii")
    small.build(folder, BOARD)
    return folder / "out" / BOARD / "images"


@pytest.fixture(scope="module")
def script(modular_images: Path) -> Path:
    return modular_images / "run.sh"


@pytest.fixture(scope="module", params=ROOTS)
def settings(request: pytest.FixtureRequest) -> Mapping[str, str]:
    return ROOTS[request.param]


def loaded(guest: Guest) -> set[str]:
    return {line.split()[0] for line in guest.check("lsmod").splitlines()[1:]}


def test_boot_loads_the_drivers_of_all_devices_before_the_network_is_configured(
    guest: Guest,
) -> None:
    assert complaints(guest.boot_log) == []
    assert guest.check("cat /run/boot-status") == "ok"
    assert loaded(guest) >= DRIVERS
    assert f"inet {ADDRESS}/24" in guest.check("ip addr show dev eth0")
    guest.check("head -c 16 /dev/hwrng >/dev/null")


def test_kernel_loads_a_module_when_somebody_asks_for_what_it_does(guest: Guest) -> None:
    assert "macvlan" not in loaded(guest)
    guest.check("ip link add link eth0 name mv0 type macvlan")
    assert "macvlan" in loaded(guest)
    guest.check("ip link del mv0 && modprobe -r macvlan")
    assert "macvlan" not in loaded(guest)
    guest.check("modprobe rtnl-link-macvlan")
    assert "macvlan" in loaded(guest)
    guest.check("rmmod macvlan")


def test_mdev_loads_the_driver_of_a_device_that_appears(guest: Guest) -> None:
    device = guest.check("echo /sys/bus/virtio/drivers/virtio_rng/virtio*").rpartition("/")[2]
    guest.check("rmmod virtio_rng")
    # What the kernel says of a device that was plugged in.
    guest.check(f"echo add >/sys/bus/virtio/devices/{device}/uevent")
    guest.check("left=200; until grep -q virtio_rng /proc/modules; do"
                " left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.05; done")  # fmt: skip


def test_what_no_module_is_for_is_refused_with_its_name(guest: Guest) -> None:
    result = guest.run("modprobe no-such-module")
    assert result.status != 0
    assert "no-such-module" in result.output


def test_version_is_the_kernels_own_and_says_nothing_of_the_build(guest: Guest) -> None:
    release = guest.check("uname -r")
    assert guest.check("echo /lib/modules/*") == f"/lib/modules/{release}"
    magic = guest.check("modinfo -F vermagic macvlan").strip()
    assert magic.split()[0] == release
    assert guest.run(f"[ -e /lib/modules/{release}/build ]").status == 1


def test_debug_information_is_not_in_the_image(guest: Guest) -> None:
    path = guest.check("find /lib/modules/ -name macvlan.ko").strip()
    assert path.endswith("/kernel/drivers/net/macvlan.ko")
    assert guest.run(f"grep -q '\\.debug_' {path}").status == 1


def test_the_package_installs_what_is_on_file(modular_images: Path, update: bool) -> None:
    project = modular_images.parents[2]
    if changes := installed.changes(project, BOARD, OTHER, __file__, update=update):
        pytest.fail(changes, pytrace=False)


def test_a_module_of_another_package_is_for_this_kernel_and_brings_what_it_needs(
    guest: Guest,
) -> None:
    release = guest.check("uname -r")
    path = f"/lib/modules/{release}/updates/{OTHER}.ko"
    assert guest.check(f"ls -l {path}").startswith("-rw-r--r--")
    # busybox's modinfo knows a module by its own name alone, which has no dashes.
    assert guest.check("modinfo -F vermagic dm_writeboost").split()[0] == release
    assert guest.run(f"grep -q '\\.debug_' {path}").status == 1
    guest.check(f"modprobe {OTHER}")
    assert {"dm_mod", "dm_writeboost"} <= loaded(guest)


def test_a_module_of_another_package_does_its_job(guest: Guest) -> None:
    """What is written to its device is in the log on the other disk."""
    program = guest.share / "writeboost"
    if not program.exists():
        command = ("riscv64-linux-gnu-gcc", "-static", str(WRITEBOOST), "-o", str(program))
        subprocess.run(command, env={"PATH": os.environ["PATH"]}, check=True)
    guest.check(f"modprobe brd && modprobe {OTHER} && modprobe dm-mod")
    guest.check("dd if=/dev/zero of=/dev/ram1 bs=1M count=16 2>/dev/null")
    guest.check("/mnt/writeboost /dev/ram0 /dev/ram1", 120)
