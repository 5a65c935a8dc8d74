"""What a user finds who boots the default board: network, logins, tools, share."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest

from boot.guest import Guest, Ssh
from boot.lines import complaints

pytestmark = pytest.mark.boot

ADDRESS = "192.168.31.100"
BOOT_LINES = (
    r"Starting network\.\.\.",
    r"udhcpc: .*discover",
    rf"udhcpc: .*select for {ADDRESS}",
    rf"udhcpc: lease of {ADDRESS} obtained.* lease time \d+",
    r"192\.168\.31\.2\b",
    r"192\.168\.31\.3\b",
    r"^OK$",
    r"Starting sshd\.\.\. .*OK$",
    r"Starting httpd\.\.\. OK$",
    r"login: $",
)


def test_boot_log_shows_lease_then_sshd_then_the_login_prompt(guest: Guest) -> None:
    rest = guest.boot_log
    for line in BOOT_LINES:
        found = re.search(line, rest, re.MULTILINE)
        assert found, f"{line!r} is not in what follows:\n{rest}"
        rest = rest[found.end() :]


def test_boot_log_has_no_complaint(guest: Guest) -> None:
    assert complaints(guest.boot_log) == []


def test_interface_has_the_leased_address(guest: Guest) -> None:
    assert f"inet {ADDRESS}/24" in guest.check("ip addr show dev eth0")


def test_default_route_and_name_server_are_those_of_the_machine(guest: Guest) -> None:
    assert "default via 192.168.31.2" in guest.check("ip route")
    assert re.search(r"^nameserver 192\.168\.31\.3\b", guest.check("cat /etc/resolv.conf"), re.M)


def test_ssh_with_a_key_runs_a_command_as_root(ssh: Ssh) -> None:
    done = ssh.run("id -u; uname -m; exit 7")
    assert (done.stdout, done.returncode) == ("0\nriscv64\n", 7), done.stderr


def test_ssh_offers_no_password(ssh: Ssh) -> None:
    done = ssh.run("true", "-o", "PubkeyAuthentication=no")
    assert done.returncode == 255
    assert re.search(r"Permission denied \(publickey\)", done.stderr), done.stderr


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


def test_shared_folder_carries_files_both_ways(guest: Guest) -> None:
    (guest.share / "from-host").write_text("hello guest\n", encoding="ascii")
    assert guest.check("cat /mnt/from-host") == "hello guest"
    guest.check("echo hello host >/mnt/from-guest")
    assert (guest.share / "from-guest").read_text(encoding="ascii") == "hello host\n"


def test_shared_folder_carries_large_files_unchanged(guest: Guest) -> None:
    data = os.urandom(3_000_001)
    (guest.share / "large").write_bytes(data)
    guest.check("cp /mnt/large /tmp/large && cp /tmp/large /mnt/large-back && sync")
    assert (guest.share / "large-back").read_bytes() == data


def test_status_page_is_served_through_the_forward(guest: Guest) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{guest.port(80)}/", timeout=30) as answer:
        page = answer.read().decode()
        assert answer.status == 200
        assert answer.headers.get_content_type() == "text/html"
    assert "<title>" in page
