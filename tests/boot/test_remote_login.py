"""Logging in from the host with its own clients, and what reloading the network does to that."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from boot.guest import FORWARDS, Guest, Ssh

pytestmark = pytest.mark.boot

ADDRESS = "192.168.31.100"
OTHER_PORT = 2222
PASSWORD = "right-one"
SECONDS = 120
CONTROL = (
    f"/usr/sbin/sshd -p {OTHER_PORT} -h /data/ssh/ssh_host_ed25519_key -o PidFile=/run/other.pid "
    "-o PasswordAuthentication=yes -o PermitRootLogin=yes"
)
"""A second server that differs in what it allows."""


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    return {"FORWARD": f"{FORWARDS},tcp:0:{OTHER_PORT}"}


def sftp(ssh: Ssh, batch: str) -> str:
    """Run sftp's commands, each of which must succeed; return what it printed."""
    done = subprocess.run(
        ["sftp", *ssh.options, "-P", str(ssh.port), "-b", "-", "root@127.0.0.1"],
        input=batch,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"sftp gave status {done.returncode}: {done.stderr}"
    return done.stdout


def with_password(ssh: Ssh, folder: Path) -> tuple[subprocess.CompletedProcess[str], bool]:
    """Log in with the password and nothing else; return the end, and whether it was asked for."""
    folder.mkdir()
    asked, program = folder / "asked", folder / "askpass"
    program.write_text(f"#!/bin/sh\n: >'{asked}'\necho '{PASSWORD}'\n", encoding="ascii")
    program.chmod(0o755)
    wanted = {
        "BatchMode": "no",
        "NumberOfPasswordPrompts": "1",
        "PreferredAuthentications": "password,keyboard-interactive",
        "PubkeyAuthentication": "no",
    }
    done = subprocess.run(
        ssh.argv("id -un", *(f"-o{name}={value}" for name, value in wanted.items())),
        env={**os.environ, "SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done, asked.exists()


def test_sftp_carries_files_both_ways_with_their_modes(ssh: Ssh, tmp_path: Path) -> None:
    data = os.urandom(500_009)
    sent, back = tmp_path / "sent", tmp_path / "back"
    sent.write_bytes(data)
    sent.chmod(0o640)
    sftp(
        ssh, f"mkdir /tmp/sftp\nput -p {sent} /tmp/sftp/first\nrename /tmp/sftp/first /tmp/sftp/x\n"
    )
    found = ssh.run("stat -c %a /tmp/sftp/x; sha256sum </tmp/sftp/x").stdout.split()
    assert found[:2] == ["640", hashlib.sha256(data).hexdigest()]
    assert sftp(ssh, f"get -p /tmp/sftp/x {back}\nls -1 /tmp/sftp\n").splitlines()[-1] == (
        "/tmp/sftp/x"
    )
    assert back.read_bytes() == data
    assert back.stat().st_mode & 0o777 == 0o640


def test_a_right_password_is_refused_that_a_server_for_passwords_accepts(
    guest: Guest, ssh: Ssh, tmp_path: Path
) -> None:
    """DES, because this system's sshd has no crypt(3) but openssl's, which knows no other."""
    guest.check(f"printf 'root:{PASSWORD}\\n' | chpasswd -c des && {CONTROL}")
    done, asked = with_password(ssh, tmp_path / "refused")
    assert (done.returncode, done.stdout, asked) == (255, "", False)
    assert "Permission denied (publickey)." in done.stderr
    assert "Accepted password" not in guest.check("cat /var/log/messages")

    other = replace(ssh, port=guest.port(OTHER_PORT))
    done, asked = with_password(other, tmp_path / "accepted")
    assert (done.returncode, done.stdout, asked) == (0, "root\n", True), done.stderr
    assert "Accepted password for root" in guest.check("cat /var/log/messages")
    guest.check("kill $(cat /run/other.pid) && passwd -d root")


def test_a_key_that_nobody_entered_is_refused(ssh: Ssh, tmp_path: Path) -> None:
    other = tmp_path / "other"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)]
    subprocess.run(command, check=True, timeout=SECONDS)
    done = replace(ssh, key=other).run("true")
    assert done.returncode == 255
    assert "Permission denied (publickey)." in done.stderr


def test_reload_keeps_the_address_and_connections_that_exist(guest: Guest, ssh: Ssh) -> None:
    """The kernel keeps a connection whose address comes back; what is sent meanwhile waits."""
    with subprocess.Popen(
        ssh.argv("cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as kept:
        assert kept.stdin and kept.stdout
        print("before", file=kept.stdin, flush=True)
        assert kept.stdout.readline() == "before\n"
        output = guest.check("/etc/init.d/S40network reload")
        assert re.fullmatch(r"Stopping network\.\.\.\nOK\nStarting.*\nOK", output, re.DOTALL), (
            output
        )
        assert f"inet {ADDRESS}/24" in guest.check("ip addr show dev eth0")
        assert ssh.run("echo new").stdout == "new\n"
        after, _ = kept.communicate("after\n", timeout=SECONDS)
    assert (after, kept.returncode) == ("after\n", 0)


STATIC = (
    f"iface eth0 inet static\\n\\taddress {ADDRESS}\\n\\tnetmask 255.255.255.0\\n"
    "\\tgateway 192.168.31.2\\n\\tdns-nameservers 192.168.31.3\\n\\tdns-search fixed.example"
)


def test_reload_applies_an_edited_interface_and_takes_it_back(guest: Guest, ssh: Ssh) -> None:
    """Back over ssh, where the stop may complain: ifdown misses a client that is none any more."""
    edit = f"s/^iface eth0 inet dhcp$/{STATIC}/"
    guest.check(
        f"cp /etc/network/interfaces /tmp/interfaces && sed -i '{edit}' /etc/network/interfaces"
    )
    assert "FAIL" not in guest.check("/etc/init.d/S40network reload")
    assert guest.run("pidof udhcpc").status == 1
    assert guest.check("cat /etc/resolv.conf").splitlines() == [
        "search fixed.example",
        "nameserver 192.168.31.3",
    ]
    assert "default via 192.168.31.2 dev eth0" in guest.check("ip route")
    assert ssh.run("cat /etc/hostname").returncode == 0

    done = ssh.run("cp /tmp/interfaces /etc/network/interfaces && /etc/init.d/S40network reload")
    assert done.returncode == 0, done.stderr
    assert f"lease of {ADDRESS} obtained" in done.stdout + done.stderr
    assert done.stdout.endswith("\nOK\n"), done.stdout
    assert "fixed.example" not in guest.check("cat /etc/resolv.conf")
    assert guest.check("pidof udhcpc | wc -w") == "1"
    assert ssh.run("true").returncode == 0
