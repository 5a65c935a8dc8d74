"""Boots that lack something: a network device, room on the disk, memory, a disk to write to.

They share one disk and little memory; each goes on where the last has ended.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import pytest

from boot import checks
from boot.checks import System
from boot.guest import Guest, Ssh

pytestmark = pytest.mark.boot

MEMORY_MIB = 64
KEY_NOTE = "(host keys in /run/ssh, for this boot only: they cannot be stored in /data/ssh)"


NO_ROOM = r"overlayfs: failed to create directory \S+ \(errno: 28\); mounting read-only"
"""overlayfs makes its work folder anew at each mount. On a full disk it finds room for it if ext4
has meanwhile released the blocks of the old one, which happens when its journal is committed."""


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    return {"QEMU_ARGS": f"-m {MEMORY_MIB}"}


@pytest.fixture(scope="module")
def system(guest: Guest, ssh: Ssh) -> System:
    """A guest with little memory; each test leaves the disk as it has found it."""
    return System(guest, ssh)


def restart(guest: Guest) -> str:
    """Restart the system in the same QEMU and log in; return the boot's log."""
    guest.order("reboot")
    log = guest.boot()
    guest.log_in()
    return log


def assert_every_check_holds(system: System) -> None:
    for holds in checks.ALL:
        holds(system)


def test_boot_with_64_mib_of_memory_passes_every_check(system: System) -> None:
    memory = system.guest.check("cat /proc/meminfo")
    total = re.search(r"^MemTotal: +(\d+) kB$", memory, re.MULTILINE)
    assert total and int(total[1]) < MEMORY_MIB * 1024
    assert_every_check_holds(system)
    assert "Out of memory" not in system.guest.check("dmesg")


def test_boot_on_a_full_disk_lets_in_and_leaves_nothing_half_written(system: System) -> None:
    guest = system.guest
    guest.check("rm /data/ssh/ssh_host_*")
    for folder in ("", "/data"):
        for name, size in (("filler", "64k"), ("filler2", "1k")):
            guest.run(f"dd if=/dev/zero of={folder}/{name} bs={size}; sync", 180)
    assert guest.run("echo x >/new").status != 0
    guest.check("rm -f /new")

    restart(guest)
    assert_every_check_holds(dataclasses.replace(system, note=KEY_NOTE, chance=NO_ROOM))
    assert "No space left" in guest.run("echo x >/new; rm -f /new").output
    empty = "-xdev -size 0 -type f -newer /filler ! -name filler2"
    assert guest.check(f"find / /data {empty}; ls -A /data/ssh") == ""

    guest.check("rm /filler* /data/filler* && /etc/init.d/S50sshd restart")
    found = guest.check("cd /data/ssh && for key in *_key; do ssh-keygen -l -f $key; done")
    assert [line.split()[-1] for line in found.splitlines()] == ["(ECDSA)", "(ED25519)"]
    checks.ssh_with_a_key_runs_a_command_as_root(system)


def test_root_that_fstab_wants_read_only_boots_and_takes_no_change(system: System) -> None:
    guest = system.guest
    guest.check("sed -i '\\,^/dev/root,s/rw,/ro,/' /etc/fstab && grep -q ro,noauto /etc/fstab")
    restart(guest)
    assert_every_check_holds(system)
    refused = guest.run("touch /etc/new")
    assert refused.status != 0 and "Read-only file system" in refused.output
    guest.check("mount -o remount,rw / && sed -i 's/ro,noauto/rw,noauto/' /etc/fstab")


def test_boot_without_a_network_device_says_so_and_starts_the_rest(system: System) -> None:
    system.guest.check("sed -i 's/wait-delay 15/wait-delay 2/' /etc/network/interfaces")
    checks.power_off(system.guest)
    system.guest.close()

    settings = {**system.guest.settings, "NETWORK": "none", "FORWARD": "none"}
    with Guest(system.guest.script, system.guest.folder, settings) as guest:
        log = guest.boot()
        checks.assert_in_order(
            log,
            (
                r"^Starting network\.\.\.$",
                r"^Waiting for interface eth0 to appear\.\. timeout!$",
                r"^not up: eth0$",
                r"^FAIL$",
                r"^Starting sshd\.\.\. OK$",
                r"^Starting httpd\.\.\. OK$",
                r"^ Quard Star is up, ",
                r"^rcS: failed: S40network \(status 1\)$",
                r"^quard-star login: \Z",
            ),
        )
        guest.log_in()
        assert guest.check("cat /run/boot-status") == "failed: S40network (status 1)"
        assert guest.check("nc -w 20 127.0.0.1 22 </dev/null | head -c 8") == "SSH-2.0-"
        checks.power_off(guest)
