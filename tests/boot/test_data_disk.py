"""The data disk: what outlives an image, on every root kind, and what is done about damage."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from boot import checks
from boot.guest import Guest, Guests

pytestmark = pytest.mark.boot

KEYS = "cd /data/ssh && cat *_key | sha256sum"
OPTIONS = {"FORWARD": "none", "SHARE": "none"}
SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"


def boot(guests: Guests, folder: Path, **settings: str) -> Guest:
    """Boot on the disks of a folder."""
    guest = guests.start(folder, **{**OPTIONS, **settings})
    guest.boot()
    guest.log_in()
    return guest


def end(guest: Guest) -> None:
    """Power off, without a complaint."""
    checks.power_off(guest)
    guest.close()


def new_image(images: Path, to: Path) -> Path:
    """Copy the images, with an ext4 root that is another one; return its run.sh."""
    shutil.copytree(images, to)
    root = to / "rootfs.ext4"
    subprocess.run(["tune2fs", "-L", "another", root], env={"PATH": SBIN}, check=True)
    return to / "run.sh"


def test_host_keys_and_what_the_user_wrote_outlive_a_new_image_on_every_root(
    guests: Guests, images: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "disks"
    first = boot(guests, folder)
    assert first.check("cat /run/boot-status") == "ok"
    keys = first.check(KEYS)
    first.check("echo kept >/root/kept && echo kept >/data/mine && echo lost >/etc/lost")
    first.check("echo changed >/root/.ssh/config && stat -c %a%U /root >/data/mode")
    end(first)

    guests.script = new_image(images, tmp_path / "new")
    for root in ("ext4", "squashfs", "cpio"):
        guest = boot(guests, folder, ROOT=root)
        assert "recovery complete" not in guest.check("dmesg"), "it was not unmounted cleanly"
        assert guest.check("cat /run/boot-status") == "ok"
        assert guest.check(KEYS) == keys
        kept = guest.check("cat /root/kept /data/mine /root/.ssh/config; stat -c %a%U /root")
        assert kept.splitlines() == ["kept", "kept", "changed", "700root"]
        assert guest.run("cat /etc/lost").status != 0
        end(guest)


def test_image_without_the_disk_boots_as_ever(guests: Guests, tmp_path: Path) -> None:
    guest = guests.start(tmp_path / "disks", **OPTIONS)
    guest.boot()
    guest.log_in()
    guest.check("umount -l /root && umount /data && e2fsck -f -n /dev/vdb")
    # Without its label it is any disk.
    guest.check("printf '\\0\\0\\0\\0' | dd of=/dev/vdb bs=8 seek=143 conv=notrunc")
    guest.order("reboot")
    guest.boot()
    guest.log_in()
    assert " /data " not in guest.check("cat /proc/mounts")
    assert guest.check("cat /run/boot-status") == "ok"
    assert guest.check("cd /etc/ssh && echo ssh_host_*_key").count("_key") == 2
    end(guest)


def test_fresh_drops_the_data_and_snapshot_leaves_them(guests: Guests, tmp_path: Path) -> None:
    folder = tmp_path / "disks"
    first = boot(guests, folder)
    first.check("echo kept >/data/kept")
    end(first)
    second = boot(guests, folder, SNAPSHOT="1")
    assert second.check("cat /data/kept") == "kept"
    second.check("rm /data/kept")
    end(second)
    third = boot(guests, folder, SNAPSHOT="1")
    assert third.check("cat /data/kept") == "kept"
    end(third)
    fourth = boot(guests, folder, FRESH="1")
    assert fourth.run("cat /data/kept").status != 0
    end(fourth)


def damage(disk: Path, path: str) -> None:
    """Overwrite the inode of a file, as a fault of the hardware does."""
    command = ["debugfs", "-R", f"imap {path}", str(disk)]
    done = subprocess.run(command, env={"PATH": SBIN}, capture_output=True, text=True, check=True)
    found = re.search(r"located at block (\d+), offset 0x([0-9a-f]+)", done.stdout)
    assert found, done
    with disk.open("r+b") as file:
        file.seek(int(found[1]) * 4096 + int(found[2], 16) + 40)
        file.write(b"\xff" * 20)


def test_damage_of_root_and_data_costs_a_file_and_the_next_boot_repairs_it(
    guests: Guests, tmp_path: Path
) -> None:
    folder = tmp_path / "disks"
    guest = boot(guests, folder)
    guest.check("echo x >/data/mine")
    end(guest)
    damage(guest.folder / "state/rootfs.ext4", "/etc/motd")
    damage(guest.folder / "state/data.ext4", "/mine")

    guest = boot(guests, folder)
    for path in ("/etc/motd", "/data/mine"):
        assert "Bad message" in guest.run(f"cat {path}").output
    guest.check("echo y >/etc/other && echo y >/data/other && sync")
    assert guest.power_off()[0] == 0
    guest.close()

    guest = boot(guests, folder)
    assert guest.check("cat /run/boot-status") == "failed: e2fsck has repaired / /data"
    assert "/ was repaired; the system restarts." in guest.console
    assert guest.check("cat /etc/other /data/other") == "y\ny"
    assert guest.check("cat /sys/fs/ext4/*/errors_count") == "0\n0"
    assert guest.power_off()[0] == 0
    guest.close()

    guest = boot(guests, folder)
    assert guest.check("cat /run/boot-status") == "ok"
    end(guest)


@pytest.mark.parametrize("root", ["squashfs", "cpio"])
def test_damaged_data_are_repaired_on_a_root_in_memory_too(
    guests: Guests, tmp_path: Path, root: str
) -> None:
    folder = tmp_path / "disks"
    guest = boot(guests, folder, ROOT=root)
    guest.check("echo x >/data/mine")
    end(guest)
    damage(guest.folder / "state/data.ext4", "/mine")
    guest = boot(guests, folder, ROOT=root)
    assert guest.run("cat /data/mine").status != 0
    assert guest.power_off()[0] == 0
    guest.close()
    guest = boot(guests, folder, ROOT=root)
    assert guest.check("cat /run/boot-status") == "failed: e2fsck has repaired /data"
    assert guest.power_off()[0] == 0


def test_small_board_keeps_its_host_keys_and_can_repair(small_images: Path, tmp_path: Path) -> None:
    guests = Guests(small_images / "run.sh", tmp_path)
    try:
        guest = boot(guests, tmp_path / "disks")
        keys = guest.check(KEYS)
        assert guest.check("e2fsck -V 2>&1").startswith("e2fsck 1.")
        assert guest.power_off()[0] == 0
        guest.close()
        (guest.folder / "state/rootfs.ext4").unlink()
        guest = boot(guests, tmp_path / "disks")
        assert guest.check(KEYS) == keys
        assert guest.power_off()[0] == 0
    finally:
        guests.close()


def test_initramfs_that_was_not_unpacked_whole_does_not_boot(images: Path, tmp_path: Path) -> None:
    # A size that run.sh does not know is not checked by it.
    settings = ["ROOT=cpio", f"STATE={tmp_path}", "FORWARD=none", "SHARE=none"]
    done = subprocess.run(
        [images / "run.sh", *settings, f"QEMU_ARGS=-m {40 * 1024}K"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=240,
        check=False,
    )
    assert done.returncode == 3, done.stdout
    assert "Initramfs unpacking failed" in done.stdout
    assert "init: the initramfs was not unpacked completely" in done.stdout
    assert "login:" not in done.stdout
