"""Names in the guest are asked of the host's name server, through QEMU's own address for it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from boot.guest import Guest

pytestmark = pytest.mark.boot

SERVER = Path(__file__).with_name("nameserver.py")
DOMAIN = "quardroot.test"
GUEST_ADDRESS = "192.168.31.100"
MANY = [f"127.0.1.{number}" for number in range(1, 61)]
"""More addresses than fit into an answer over UDP, all of the guest itself."""

ZONE = {f"board.{DOMAIN}.": [GUEST_ADDRESS], f"far.{DOMAIN}.": ["10.1.2.3"]}


@dataclass(frozen=True)
class World:
    """A guest and the questions that its name server was asked."""

    guest: Guest
    log: Path

    def questions(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


def sandbox(folder: Path) -> list[str]:
    """Words that run a command with a network of its own, whose name server is 127.0.0.1."""
    resolv = folder / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\n", encoding="ascii")
    return [
        *("bwrap", "--die-with-parent", "--unshare-user", "--unshare-net", "--unshare-pid"),
        *("--cap-add", "CAP_NET_BIND_SERVICE", "--dev-bind", "/", "/", "--proc", "/proc"),
        *("--ro-bind", str(resolv), str(Path("/etc/resolv.conf").resolve())),
    ]


@pytest.fixture(scope="module")
def world(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A booted guest in a world with no other network; skips where namespaces are refused."""
    if not Path("/etc/resolv.conf").exists():
        pytest.skip("this machine has no /etc/resolv.conf that another could take the place of")
    folder = tmp_path_factory.mktemp("world")
    words = sandbox(folder)
    probe = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        pytest.skip(f"bubblewrap cannot make namespaces here: {probe.stderr.strip()}")
    zone, log = folder / "zone", folder / "questions"
    rows = [(name, address) for name, list_ in ZONE.items() for address in list_]
    rows += [(f"many.{DOMAIN}.", address) for address in MANY]
    zone.write_text("".join(f"{name} {address}\n" for name, address in rows), encoding="ascii")
    command = [*words, sys.executable, "-P", str(SERVER), str(log), str(zone)]
    script = folder / "run.sh"
    script.write_text(
        f'#!/bin/sh\nexec {shlex.join(command)} {shlex.quote(str(images / "run.sh"))} "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    with Guest(script, folder / "guest", {"SNAPSHOT": "1"}) as guest:
        guest.boot()
        guest.log_in()
        yield World(guest, log)


def test_nslookup_finds_a_name_that_only_the_hosts_server_knows(world: World) -> None:
    output = world.guest.check(f"nslookup far.{DOMAIN}")
    assert re.search(rf"Name:\s+far\.{DOMAIN}\nAddress: 10\.1\.2\.3\b", output), output
    assert re.search(r"^Server:\s+192\.168\.31\.3\b", output, re.MULTILINE), output
    assert f"udp A far.{DOMAIN}." in world.questions()


def test_c_library_finds_it_too(world: World) -> None:
    """wget asks the C library; the name leads to the guest's own web server."""
    page = world.guest.check(f"wget -q -O - http://board.{DOMAIN}/cgi-bin/status")
    assert "host: quard-star" in page.splitlines()


@pytest.mark.parametrize("name", [f"nobody.{DOMAIN}", "quardroot.invalid"])
def test_unknown_name_does_not_exist(world: World, name: str) -> None:
    result = world.guest.run(f"nslookup {name}.")
    assert result.status != 0
    assert "NXDOMAIN" in result.output
    result = world.guest.run(f"wget -q -O - http://{name}/")
    assert result.status != 0
    assert "bad address" in result.output


def test_answer_too_long_for_udp_is_asked_for_again_over_tcp(world: World) -> None:
    page = world.guest.check(f"wget -q -O - http://many.{DOMAIN}/cgi-bin/status")
    assert "host: quard-star" in page.splitlines()
    protocols = {line.split()[0] for line in world.questions() if f" A many.{DOMAIN}." in line}
    assert protocols == {"udp", "tcp"}


def test_name_server_is_asked_for_nothing_at_boot(world: World) -> None:
    asked = {line.split()[2] for line in world.questions()}
    assert all(DOMAIN in name or name == "quardroot.invalid." for name in asked), asked
