"""What a user finds who boots the default board: network, logins, tools, share."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from boot import checks
from boot.checks import System
from boot.guest import Guest, Ssh

pytestmark = pytest.mark.boot


@pytest.fixture(scope="module")
def system(guest: Guest, ssh: Ssh) -> System:
    return System(guest, ssh)


@pytest.mark.parametrize("holds", checks.ALL, ids=checks.name)
def test_default_board_boots_and(system: System, holds: Callable[[System], None]) -> None:
    holds(system)


def test_scp_copies_both_ways(ssh: Ssh, tmp_path: Path) -> None:
    data = os.urandom(1_000_003)
    sent, back = tmp_path / "sent", tmp_path / "back"
    sent.write_bytes(data)
    ssh.copy(sent, "guest:/tmp/copied")
    digest = ssh.run("sha256sum </tmp/copied").stdout.split()[0]
    assert digest == hashlib.sha256(data).hexdigest()
    ssh.copy("guest:/tmp/copied", back)
    assert back.read_bytes() == data


def test_ethtool_shows_the_link(guest: Guest) -> None:
    output = guest.check("ethtool eth0")
    assert output.startswith("Settings for eth0:")
    assert "Link detected: yes" in output


def test_ethtool_names_the_driver(guest: Guest) -> None:
    assert "driver: virtio_net" in guest.check("ethtool -i eth0").splitlines()


def test_openssl_is_the_long_term_release(guest: Guest) -> None:
    assert re.match(r"OpenSSL 3\.5\.\d+ ", guest.check("openssl version"))


def test_iperf3_measures_against_itself(guest: Guest) -> None:
    output = guest.check(
        "iperf3 --server --one-off --daemon && sleep 1 && iperf3 -c 127.0.0.1 -t 1 --json", 60
    )
    assert json.loads(output)["end"]["sum_received"]["bytes"] > 1_000_000


def test_iperf3_of_the_host_measures_through_a_forwarded_port(guest: Guest) -> None:
    guest.check("iperf3 --server --one-off --daemon && sleep 1")
    command = ["iperf3", "-c", "127.0.0.1", "-p", str(guest.port(5201)), "-t", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["end"]["sum_received"]["bytes"] > 100_000


def test_shared_folder_carries_large_files_unchanged(guest: Guest) -> None:
    data = os.urandom(3_000_001)
    (guest.share / "large").write_bytes(data)
    guest.check("cp /mnt/large /tmp/large && cp /tmp/large /mnt/large-back && sync")
    assert (guest.share / "large-back").read_bytes() == data


def test_power_off_takes_everything_down_in_order(guest: Guest) -> None:
    checks.power_off(guest)
