"""What /etc/network/interfaces says, from a boot to the next: fixed address, DHCP, two devices."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from boot import checks, wire
from boot.checks import ADDRESS, NAME_SERVER, ROUTER
from boot.guest import Guest
from boot.lines import complaints

pytestmark = pytest.mark.boot

FILE = "/etc/network/interfaces"
SECOND = "10.77.0"
SECOND_DEVICE = (
    f"-netdev user,id=net1,net={SECOND}.0/24,dhcpstart={SECOND}.50,dns={SECOND}.3"
    " -device virtio-net-device,netdev=net1"
)
LOOPBACK = "auto lo\niface lo inet loopback\n"
FIXED = f"""{LOOPBACK}auto eth0
iface eth0 inet static
\taddress 192.168.31.50
\tnetmask 255.255.255.0
\tgateway {ROUTER}
\tdns-nameservers {NAME_SERVER}
\tdns-search fixed.example
"""
TWO = f"{LOOPBACK}auto eth0\niface eth0 inet dhcp\nauto eth1\niface eth1 inet dhcp\n"
SECONDS = 60


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Files with what goes over the first and the second device's wire."""
    folder = tmp_path_factory.mktemp("wire")
    return folder / "first", folder / "second"


@pytest.fixture(scope="module")
def settings(traffic: tuple[Path, Path]) -> Mapping[str, str]:
    """Of a guest with two network devices, of which its own settings name the first only."""
    dumps = f"{wire.dump(traffic[0])} {wire.dump(traffic[1], 'net1')}"
    return {"QEMU_ARGS": f"{SECOND_DEVICE} {dumps}"}


def reboot_with(guest: Guest, interfaces: str) -> str:
    """Write the settings, restart the system in the same QEMU, log in; return the boot's log."""
    quoted = interfaces.replace("\n", "\\n").replace("\t", "\\t")
    guest.check(f"printf '{quoted}' >{FILE}")
    process = guest.child.pid
    guest.order("reboot")
    log = guest.boot()
    assert guest.child.pid == process
    assert complaints(log) == []
    guest.log_in()
    assert guest.check("cat /run/boot-status") == "ok"
    return log


def say_to_host(guest: Guest, words: str) -> str:
    """Return what a program on the host hears when the guest says `words` to it by TCP."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)

        def listen() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                heard.append(stream.readline())

        listener = threading.Thread(target=listen)
        listener.start()
        guest.check(f"echo {words} | nc -w 20 {ROUTER} {server.getsockname()[1]}")
        listener.join(SECONDS)
    return b"".join(heard).decode().strip()


def test_second_device_without_settings_is_left_alone(guest: Guest) -> None:
    assert "eth1" not in guest.boot_log
    assert ",UP" not in guest.check("ip link show dev eth1").partition(">")[0]
    routes = checks.default_routes(guest)
    assert len(routes) == 1 and f"via {ROUTER} dev eth0 " in routes[0], routes


def test_reboot_takes_a_fixed_address_and_asks_no_dhcp_server(
    guest: Guest, traffic: tuple[Path, Path]
) -> None:
    before = len(wire.dhcp(traffic[0]))
    log = reboot_with(guest, FIXED)
    assert "udhcpc" not in log
    assert [message.kind for message in wire.dhcp(traffic[0])[before:]] == ["release"]
    addresses = guest.check("ip -4 -o addr show dev eth0").splitlines()
    assert len(addresses) == 1 and "inet 192.168.31.50/24 " in addresses[0], addresses
    routes = checks.default_routes(guest)
    assert len(routes) == 1 and routes[0].startswith(f"default via {ROUTER} dev eth0"), routes
    assert guest.check("cat /etc/resolv.conf").splitlines() == [
        "search fixed.example",
        f"nameserver {NAME_SERVER}",
    ]
    assert say_to_host(guest, "from a fixed address") == "from a fixed address"


def test_reboot_takes_a_lease_on_each_of_two_devices(guest: Guest) -> None:
    log = reboot_with(guest, TWO)
    assert f"lease of {ADDRESS} obtained from {ROUTER}" in log
    assert f"lease of {SECOND}.50 obtained from {SECOND}.2" in log
    assert_both_are_up(guest)
    assert say_to_host(guest, "by the first device") == "by the first device"


@pytest.mark.parametrize(("down", "stays"), [("eth0", "eth1"), ("eth1", "eth0")])
def test_interface_that_goes_down_takes_only_its_own_settings(
    guest: Guest, down: str, stays: str
) -> None:
    if guest.check(f"cat {FILE}") != TWO.removesuffix("\n"):
        reboot_with(guest, TWO)
    servers = {"eth0": NAME_SERVER, "eth1": f"{SECOND}.3"}
    guest.check(f"ifdown {down}")
    assert "inet " not in guest.check(f"ip -4 -o addr show dev {down}")
    routes = checks.default_routes(guest)
    assert len(routes) == 1 and f" dev {stays} " in routes[0], routes
    assert guest.check("cat /etc/resolv.conf") == f"nameserver {servers[stays]}"
    guest.check(f"ifup {down}")
    assert_both_are_up(guest)


def assert_both_are_up(guest: Guest) -> None:
    """Each has its lease, a default route that outranks or follows the other's, its own lines."""
    assert f"inet {ADDRESS}/24" in guest.check("ip -4 addr show dev eth0")
    assert f"inet {SECOND}.50/24" in guest.check("ip -4 addr show dev eth1")
    routes = [line.split() for line in checks.default_routes(guest)]
    metrics = {words[4]: int(words[words.index("metric") + 1]) for words in routes}
    assert [words[2] for words in routes] == [ROUTER, f"{SECOND}.2"]
    assert metrics["eth0"] < metrics["eth1"], metrics
    assert guest.check("cat /etc/resolv.conf").splitlines() == [
        f"nameserver {NAME_SERVER}",
        f"nameserver {SECOND}.3",
    ]


def test_power_off_gives_both_leases_back(guest: Guest, traffic: tuple[Path, Path]) -> None:
    before = [len(wire.dhcp(file)) for file in traffic]
    checks.power_off(guest)
    for file, start, address in zip(traffic, before, (ADDRESS, f"{SECOND}.50"), strict=True):
        assert wire.dhcp(file)[start:] == [wire.Message("release", address, "0.0.0.0")]
