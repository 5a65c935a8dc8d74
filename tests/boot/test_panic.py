"""A kernel that panics: the run ends with a status of its own, or the machine stays as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pexpect
import pytest

from boot.guest import BOOT_SECONDS, Guest, Guests

pytestmark = pytest.mark.boot

LAST = "The kernel panicked, the machine is switched off: status 3 (PANIC=keep keeps it)"


def end(script: Path, folder: Path, *settings: str) -> tuple[int, str]:
    """Run without a terminal, as a job of a server does; return status and output."""
    done = subprocess.run(
        [script, f"STATE={folder}", "SHARE=none", "FORWARD=none", *settings],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BOOT_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


@pytest.mark.parametrize("root", ["ext4", "squashfs", "cpio"])
def test_a_panic_ends_the_run_with_one_line_and_status_3(
    images: Path, tmp_path: Path, root: str
) -> None:
    # An initramfs is not looked into for init= but for rdinit=.
    nope = "rdinit=/nope init=/nope root=/dev/nope" if root == "cpio" else "init=/nope"
    status, text = end(images / "run.sh", tmp_path, f"ROOT={root}", f"APPEND={nope}")
    assert status == 3, text
    assert text.count("Kernel panic") == 1
    assert text.rstrip().endswith(LAST)


def test_a_panic_before_the_first_driver_ends_the_run_too(images: Path, tmp_path: Path) -> None:
    status, text = end(images / "run.sh", tmp_path, "APPEND=earlycon=sbi mem=6M")
    assert status == 3, text
    assert "legacy console [ttyS0] enabled" not in text, "the serial port had its driver already"
    assert text.rstrip().endswith(LAST)


def test_reboot_goes_on_to_boot_again_and_power_off_is_no_panic(guests: Guests) -> None:
    guest = guests.start(SHARE="none", SNAPSHOT="1")
    guest.boot()
    guest.log_in()
    guest.order("reboot")
    guest.boot()
    guest.log_in()
    assert guest.power_off()[0] == 0


def test_a_panic_of_a_running_system_ends_it(guests: Guests) -> None:
    guest = guests.start(SHARE="none", SNAPSHOT="1")
    guest.boot()
    guest.log_in()
    guest.send("echo c >/proc/sysrq-trigger")
    guest.child.expect(pexpect.EOF, timeout=60)
    guest.child.close()
    assert guest.child.exitstatus == 3
    assert LAST in guest.console


def test_panic_keep_leaves_the_machine_for_the_monitor(images: Path, tmp_path: Path) -> None:
    settings = {"PANIC": "keep", "APPEND": "init=/nope", "SHARE": "none", "SNAPSHOT": "1"}
    with Guest(images / "run.sh", tmp_path, settings) as guest:
        guest.child.expect(r"end Kernel panic", timeout=BOOT_SECONDS)
        guest.child.send("\x01c")
        guest.child.expect(r"\(qemu\)", timeout=30)
        guest.child.sendline("info status")
        guest.child.expect("VM status: running", timeout=30)
        guest.child.sendline("quit")
        guest.child.expect(pexpect.EOF, timeout=30)
    assert guest.console.count("Kernel panic - not syncing") >= 1


def test_panic_reboot_starts_the_machine_again(images: Path, tmp_path: Path) -> None:
    settings = {
        "PANIC": "reboot",
        "APPEND": "init=/nope panic=1",
        "SHARE": "none",
        "SNAPSHOT": "1",
    }
    with Guest(images / "run.sh", tmp_path, settings) as guest:
        for _ in range(2):
            guest.child.expect("Linux version", timeout=BOOT_SECONDS)
            guest.child.expect("Kernel panic - not syncing", timeout=BOOT_SECONDS)
