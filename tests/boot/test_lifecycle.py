"""Starting, ending, starting again, and several guests at once."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from boot import checks, wire
from boot.checks import ADDRESS
from boot.guest import BOOT_SECONDS, Guests
from boot.lines import complaints

pytestmark = pytest.mark.boot

HOST_KEYS = "cat /data/ssh/ssh_host_*_key.pub"


def test_next_boot_continues_on_the_disk_and_gets_the_address_that_was_given_back(
    guests: Guests, tmp_path: Path
) -> None:
    frames = tmp_path / "first", tmp_path / "second"
    first = guests.start(QEMU_ARGS=wire.dump(frames[0]))
    first.boot()
    first.log_in()
    keys = first.check(HOST_KEYS)
    first.check("echo kept >/root/kept")
    checks.power_off(first)
    first.close()

    second = guests.start(first.folder, QEMU_ARGS=wire.dump(frames[1]))
    assert f"lease of {ADDRESS} obtained" in second.boot()
    second.log_in()
    assert second.check(HOST_KEYS) == keys
    assert second.check("cat /root/kept") == "kept"
    assert f"inet {ADDRESS}/24" in second.check("ip addr show dev eth0")
    checks.power_off(second)

    for path in frames:
        messages = wire.dhcp(path)
        kinds = ["discover", "offer", "request", "ack", "release"]
        assert [message.kind for message in messages] == kinds
        assert {message.given for message in messages[1:4:2]} == {ADDRESS}
        assert messages[-1].client == ADDRESS


def test_missing_share_neither_fails_nor_delays_the_boot_and_halt_ends_qemu(
    guests: Guests,
) -> None:
    guest = guests.start(SHARE="none", SNAPSHOT="1")
    assert complaints(guest.boot()) == []
    guest.log_in()
    assert "hostshare" not in guest.check("cat /proc/mounts")
    guest.order("halt")
    assert guest.wait_for_end()[0] == 0


def test_shutdown_lets_processes_end_and_then_kills_the_others(guests: Guests) -> None:
    """init waits for a second. How much of it is left to a process depends on the host's load."""
    guest = guests.start(SHARE="none", SNAPSHOT="1")
    guest.boot()
    guest.log_in()
    last_words = "echo had the time >/dev/console; exit"
    for action in (last_words, ":"):
        # A trap waits for a command to end, but not for `wait`.
        daemon = f'trap "{action}" TERM; while :; do sleep 60 & wait $!; done'
        guest.check(f"setsid sh -c '{daemon}' &")
    status, text = guest.power_off()
    assert status == 0
    assert "had the time" in text
    # A shell that ends may empty the terminal's queue, and a line of init with it.
    checks.assert_in_order(text, ("going down NOW", "Sent SIGKILL", "Requesting system poweroff"))


def test_two_guests_run_at_once_on_the_disk_of_one(guests: Guests) -> None:
    first = guests.start()
    first.boot()
    second = guests.start(first.folder)
    second.wait_for("this one discards its changes", BOOT_SECONDS)
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
