"""Boots that lack something: a network device, room on the disk, memory, a disk to write to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from boot import checks
from boot.checks import System
from boot.guest import Guest, Guests
from boot.lines import complaints

pytestmark = pytest.mark.boot

MEMORY_MIB = 64
KEY_NOTE = "(host keys in /run/ssh, for this boot only: /etc/ssh cannot hold them)"


def restart(guest: Guest) -> str:
    """Restart the system in the same QEMU and log in; return the boot's log."""
    guest.send("reboot")
    log = guest.boot()
    guest.log_in()
    return log


def test_boot_without_its_network_device_says_so_and_starts_the_rest(guests: Guests) -> None:
    guest = guests.start()
    guest.boot()
    guest.log_in()
    guest.check("sed -i 's/eth0/eth7/; s/wait-delay 15/wait-delay 2/' /etc/network/interfaces")
    log = restart(guest)
    checks.assert_in_order(
        log,
        (
            r"^Starting network\.\.\.$",
            r"^Waiting for interface eth7 to appear\.\. timeout!$",
            r"^not up: eth7$",
            r"^FAIL$",
            r"^Starting sshd\.\.\. OK$",
            r"^Starting httpd\.\.\. OK$",
            r"^ Quard Star is up, ",
            r"^rcS: failed: S40network \(status 1\)$",
            r"^quard-star login: \Z",
        ),
    )
    assert guest.check("cat /run/boot-status") == "failed: S40network (status 1)"
    assert guest.check("nc -w 20 127.0.0.1 22 </dev/null | head -c 8") == "SSH-2.0-"
    assert "eth0" in guest.check(
        "sed -i 's/eth7/eth0/' /etc/network/interfaces && ifup eth0; ip route"
    )
    checks.power_off(guest)


def test_boot_on_a_full_disk_lets_in_and_leaves_nothing_half_written(
    guests: Guests, key: Path
) -> None:
    guest = guests.start()
    guest.boot()
    guest.log_in()
    ssh = checks.admit(guest, key)
    guest.check("rm /etc/ssh/ssh_host_*")
    guest.run("dd if=/dev/zero of=/filler bs=64k; dd if=/dev/zero of=/filler2 bs=1k; sync", 180)
    assert guest.run("echo x >/new").status != 0
    guest.check("rm -f /new")

    log = restart(guest)
    assert KEY_NOTE in log
    system = System(guest, ssh, note=KEY_NOTE)
    assert complaints(log.replace(KEY_NOTE, "")) == []
    for holds in checks.ALL:
        holds(system)
    assert "No space left" in guest.run("echo x >/new; cat /new; rm -f /new").output
    left = guest.check("find / -xdev -size 0 -type f -newer /filler; ls /etc/ssh").split()
    assert left == ["authorized_keys.d", "ssh_config", "sshd_config"], left

    guest.check("rm /filler /filler2 && /etc/init.d/S50sshd restart")
    found = guest.check("cd /etc/ssh && for key in *_key; do ssh-keygen -l -f $key; done")
    assert [line.split()[-1] for line in found.splitlines()] == ["(ECDSA)", "(ED25519)"]
    checks.ssh_with_a_key_runs_a_command_as_root(system)
    checks.power_off(guest)


def test_boot_with_64_mib_of_memory_passes_every_check(guests: Guests, key: Path) -> None:
    guest = guests.start(QEMU_ARGS=f"-m {MEMORY_MIB}")
    guest.boot()
    guest.log_in()
    total = re.search(r"^MemTotal: +(\d+) kB$", guest.check("cat /proc/meminfo"), re.MULTILINE)
    assert total and int(total[1]) < MEMORY_MIB * 1024
    system = System(guest, checks.admit(guest, key))
    for holds in checks.ALL:
        holds(system)
    assert "Out of memory" not in guest.check("dmesg")
    checks.power_off(guest)


def test_root_that_fstab_wants_read_only_boots_and_takes_no_change(
    guests: Guests, key: Path
) -> None:
    guest = guests.start()
    guest.boot()
    guest.log_in()
    ssh = checks.admit(guest, key)
    guest.check("sed -i '\\,^/dev/root,s/rw,/ro,/' /etc/fstab && grep -q ro,noauto /etc/fstab")
    restart(guest)
    system = System(guest, ssh)
    for holds in checks.ALL:
        holds(system)
    refused = guest.run("touch /etc/new")
    assert refused.status != 0 and "Read-only file system" in refused.output
    checks.power_off(guest)
