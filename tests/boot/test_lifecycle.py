"""Starting, ending, starting again, and several guests at once."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from boot.guest import BOOT_SECONDS, Guests
from boot.lines import complaints

pytestmark = pytest.mark.boot

ADDRESS = "192.168.31.100"
HOST_KEYS = "cat /etc/ssh/ssh_host_*_key.pub"


def test_power_off_ends_qemu_and_the_next_boot_continues(guests: Guests) -> None:
    first = guests.start()
    first.boot()
    first.log_in()
    keys = first.check(HOST_KEYS)
    first.check("echo kept >/root/kept")
    status, text = first.power_off()
    assert status == 0
    assert "Stopping network" in text
    assert complaints(text) == []
    first.close()

    second = guests.start(first.folder)
    assert f"lease of {ADDRESS} obtained" in second.boot()
    second.log_in()
    assert second.check(HOST_KEYS) == keys
    assert second.check("cat /root/kept") == "kept"
    assert f"inet {ADDRESS}/24" in second.check("ip addr show dev eth0")
    assert second.power_off()[0] == 0


def test_reboot_comes_back_in_the_same_qemu(guests: Guests) -> None:
    guest = guests.start()
    guest.boot()
    guest.log_in()
    process = guest.child.pid
    guest.send("reboot")
    assert f"lease of {ADDRESS} obtained" in guest.boot()
    assert guest.child.pid == process
    guest.log_in()
    assert guest.power_off()[0] == 0


def test_halt_ends_qemu_too(guests: Guests) -> None:
    guest = guests.start(SNAPSHOT="1")
    guest.boot()
    guest.log_in()
    guest.send("halt")
    assert guest.wait_for_end()[0] == 0


def test_missing_share_neither_fails_nor_delays_the_boot(guests: Guests) -> None:
    guest = guests.start(SHARE="none", SNAPSHOT="1")
    assert complaints(guest.boot()) == []
    guest.log_in()
    assert "hostshare" not in guest.check("cat /proc/mounts")
    assert guest.power_off()[0] == 0


@pytest.mark.parametrize(("root", "kind"), [("squashfs", "squashfs"), ("cpio", "rootfs")])
def test_other_root_file_systems_boot_to_the_login_prompt(
    guests: Guests, root: str, kind: str
) -> None:
    guest = guests.start(ROOT=root)
    assert f"lease of {ADDRESS} obtained" in guest.boot()
    guest.log_in()
    mounts = [line.split() for line in guest.check("cat /proc/mounts").splitlines()]
    assert [fields[2] for fields in mounts if fields[1] == "/"][:1] == [kind]
    assert guest.power_off()[0] == 0


def test_two_guests_run_at_once_on_the_disk_of_one(guests: Guests) -> None:
    first = guests.start()
    first.boot()
    second = guests.start(first.folder)
    second.wait_for("this one forgets its changes", BOOT_SECONDS)
    second.boot()
    second.log_in()
    second.check("echo lost >/root/second")
    assert second.power_off()[0] == 0
    first.log_in()
    assert first.run("cat /root/second").status != 0
    assert first.power_off()[0] == 0


def test_taken_port_is_reported_before_qemu_starts(images: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [images / "run.sh", f"FORWARD=tcp:{port}:22", f"STATE={tmp_path}/state", "SHARE=none"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"error: host port {port} is taken" in done.stderr
    assert "reason: port-taken" in done.stderr
    assert "FORWARD=" in done.stderr
    assert not (tmp_path / "state").exists()
