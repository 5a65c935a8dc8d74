"""A DHCP server that is slow, complete, or silent, and a time server that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from boot import lan
from boot.guest import Guest
from boot.lan import CLIENT, SERVER, Lan

pytestmark = pytest.mark.boot

CLOCK = 2_000_000_000
"""2033-05-18, which no clock of a machine says by itself."""

MTU, DNS, NTP, SEARCH = 26, 6, 42, 119
OPTIONS = {
    MTU: (1400).to_bytes(2, "big"),
    DNS: SERVER.packed,
    NTP: SERVER.packed,
    SEARCH: lan.domain_search("corp.example", "lab.example"),
}


@pytest.fixture(scope="module", params=["ext4", "squashfs", "cpio"])
def root(request: pytest.FixtureRequest) -> str:
    """The kind of root file system."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="module")
def network(root: str) -> Iterator[Lan]:
    """As dnsmasq does it: 3 s pass before each offer."""
    del root  # a guest has a network of its own
    with Lan(delay=3.2, options=dict(OPTIONS), clock=CLOCK) as network:
        yield network


@pytest.fixture(scope="module")
def settings(network: Lan, root: str) -> Mapping[str, str]:
    """Of a guest whose only network device is on that network."""
    device = {"NETWORK": "none", "FORWARD": "none", "QEMU_ARGS": network.arguments}
    return {**device, "ROOT": root}


def wait_until(guest: Guest, condition: str, seconds: int = 40) -> None:
    """Wait in the guest until a shell condition holds."""
    loop = f"n=0; until {condition}; do [ $n -lt {seconds} ] || exit 1; sleep 1; n=$((n + 1)); done"
    guest.check(loop, seconds + 20)


def test_an_offer_that_comes_after_three_seconds_is_waited_for(guest: Guest) -> None:
    assert f"lease of {CLIENT} obtained from {SERVER}" in guest.boot_log
    assert guest.check("cat /run/boot-status") == "ok"
    assert f"default via {SERVER} dev eth0" in guest.check("ip route")


def test_the_servers_mtu_is_the_interfaces(guest: Guest) -> None:
    assert " mtu 1400 " in guest.check("ip link show dev eth0")


def test_resolv_conf_is_clean(guest: Guest) -> None:
    assert guest.check("cat /etc/resolv.conf").splitlines() == [
        "search corp.example lab.example",
        f"nameserver {SERVER}",
    ]


def test_the_clock_is_set_by_the_server_that_dhcp_names(guest: Guest) -> None:
    assert f"Setting the clock from {SERVER}" in guest.boot_log
    wait_until(guest, f"[ $(date +%s) -ge {CLOCK} ]")
    assert re.search(r"ntpd: the clock is set", guest.check("cat /var/log/messages"))


def test_the_daemon_keeps_the_clock_when_it_is_switched_on(guest: Guest) -> None:
    guest.check("sed -i 's/^NTPD=.*/NTPD=yes/' /etc/default/ntpd && date -s @86400")
    assert "Starting ntpd... OK" in guest.check("/etc/init.d/S45ntpd restart")
    wait_until(guest, f"[ $(date +%s) -ge {CLOCK} ]")
    assert "Stopping ntpd... OK" in guest.check("/etc/init.d/S45ntpd stop")


def test_a_lease_is_given_back_though_the_servers_address_comes_late(
    guest: Guest, network: Lan
) -> None:
    """The packet waits for it; without the interface's own address, it would be dropped."""
    before = len(network.given_back)
    guest.check("ip neigh flush dev eth0")
    network.lag = 0.4
    guest.check("/etc/init.d/S40network restart", 60)
    network.lag = 0
    assert network.given_back[before:] == [CLIENT]


def test_a_missing_lease_is_in_the_status_until_one_comes(guest: Guest, network: Lan) -> None:
    network.deaf = True
    log = guest.check("/etc/init.d/S40network restart", 60)
    assert "eth0: no lease" in log
    assert guest.check("cat /run/boot-status") == "failed: no lease on eth0"
    assert " mtu 1500 " in guest.check("ip link show dev eth0")
    assert guest.check("cat /etc/resolv.conf") == ""
    del network.options[MTU]
    network.deaf = False
    wait_until(guest, "grep -q ^ok$ /run/boot-status")
    assert f"inet {CLIENT}/24" in guest.check("ip -4 addr show dev eth0")
    assert " mtu 1500 " in guest.check("ip link show dev eth0")
