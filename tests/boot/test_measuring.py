"""The tools for measuring: iperf3 and TLS between host and guest, ethtool, openssl speed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ports
import pytest

from boot.guest import FORWARDS, Guest

pytestmark = pytest.mark.boot

SECONDS = 120
IPERF, TLS = 5201, 4433
SERVER = "iperf3 --server --daemon --pidfile /run/iperf3.pid"
LISTENS = (
    ". /etc/init.d/functions; polls=0; until listening %04X; do polls=$((polls + 1)); "
    "[ $polls -lt 200 ] || exit 1; sleep 0.1; done"
)
STOP = "kill $(tr -d '\\0' </run/iperf3.pid); until ! pidof iperf3 >/dev/null; do sleep 0.1; done"
USER, PASSWORD = "meter", "right-one"
KEYS = "/run/auth"
AUTHENTICATED = (
    f"{SERVER} --rsa-private-key-path {KEYS}/key --authorized-users-path {KEYS}/users "
    "--time-skew-threshold 60"
)


@pytest.fixture(scope="module")
def settings() -> Iterator[Mapping[str, str]]:
    forwards = FORWARDS.replace(f"tcp:0:{IPERF}", "tcp:{0}:{1},udp:{0}:{1}")
    with ports.reserved() as port:  # iperf3 wants one number for TCP and UDP
        yield {"FORWARD": f"{forwards.format(port, IPERF)},tcp:0:{TLS}"}


def measure(
    guest: Guest, *arguments: str, password: str = ""
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the host's iperf3 against the guest's server; return its end and its report.

    With --json, that of Debian 12 ends with status 0 whatever happened: the report tells.
    """
    words = ["iperf3", "-c", "127.0.0.1", "-p", str(guest.port(IPERF)), "--json", *arguments]
    done = subprocess.run(
        words,
        env={**os.environ, "IPERF3_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done, json.loads(done.stdout)


@pytest.fixture
def server(guest: Guest) -> Guest:
    guest.check(f"{SERVER} && {LISTENS % IPERF}")
    return guest


@pytest.fixture(autouse=True)
def no_server_stays(request: pytest.FixtureRequest, guest: Guest) -> Any:
    yield
    if "iperf3" in request.node.name:
        guest.check(f"[ ! -e /run/iperf3.pid ] || {{ {STOP}; rm -f /run/iperf3.pid; }}")


@pytest.mark.parametrize("direction", [(), ("-R",)], ids=["to-guest", "from-guest"])
def test_iperf3_carries_tcp(server: Guest, direction: tuple[str, ...]) -> None:
    done, report = measure(server, "-t", "2", *direction)
    assert done.returncode == 0, done.stdout
    assert report["start"]["test_start"]["protocol"] == "TCP"
    received = report["end"]["sum_received"]
    assert received["bytes"] > 1_000_000
    print(f"TCP {direction}: {received['bits_per_second'] / 1e6:.0f} Mbit/s")  # noqa: T201


@pytest.mark.parametrize("direction", [(), ("-R",)], ids=["to-guest", "from-guest"])
def test_iperf3_carries_slow_udp_nearly_without_loss(
    server: Guest, direction: tuple[str, ...]
) -> None:
    """A little may be lost: QEMU drops what the guest is too slow to take."""
    done, report = measure(server, "-u", "-b", "1M", "-l", "1200", "-t", "2", *direction)
    assert done.returncode == 0, done.stdout
    assert report["start"]["test_start"]["protocol"] == "UDP"
    total = report["end"]["sum"]
    assert total["packets"] > 100
    assert total["lost_packets"] <= total["packets"] * 0.05
    assert report["end"]["streams"][0]["udp"]["bytes"] > 100_000
    print(f"UDP {direction}: {total['lost_packets']} of {total['packets']} lost")  # noqa: T201


@pytest.fixture(scope="module")
def public_key(guest: Guest) -> Path:
    """The key that iperf3's clients encrypt with; the guest keeps the other half, and a user."""
    digest = hashlib.sha256(f"{{{USER}}}{PASSWORD}".encode()).hexdigest()
    guest.check(
        f"mkdir -p {KEYS} && cd {KEYS} && openssl genrsa -out key 2048 2>/dev/null && "
        f"openssl rsa -in key -pubout -out public 2>/dev/null && echo {USER},{digest} >users && "
        "cp public /mnt/iperf3.pem",
        SECONDS,
    )
    return guest.share / "iperf3.pem"


@pytest.mark.parametrize(
    ("user", "password", "accepted"),
    [(USER, PASSWORD, True), (USER, "wrong-one", False), ("nobody", PASSWORD, False)],
)
def test_iperf3_of_the_host_is_asked_for_user_and_password(
    guest: Guest, public_key: Path, user: str, password: str, accepted: bool
) -> None:
    """Debian 12's client pads as before iperf3 3.17."""
    guest.check(f"{AUTHENTICATED} --use-pkcs1-padding && {LISTENS % IPERF}")
    who = ("--username", user, "--rsa-public-key-path", str(public_key))
    padding = () if "pkcs1" not in _host_help() else ("--use-pkcs1-padding",)
    done, report = measure(guest, "-t", "1", *who, *padding, password=password)
    if accepted:
        assert done.returncode == 0, done.stdout
        assert report["end"]["sum_received"]["bytes"] > 100_000
    else:
        assert ("authorization failed" in report["error"], report["end"]) == (True, {})


def _host_help() -> str:
    return subprocess.run(
        ["iperf3", "--help"], capture_output=True, text=True, timeout=SECONDS, check=True
    ).stdout


def test_iperf3_without_a_user_is_refused(guest: Guest, public_key: Path) -> None:
    del public_key  # the server's half is there, too
    guest.check(f"{AUTHENTICATED} && {LISTENS % IPERF}")
    _, report = measure(guest, "-t", "1")
    assert ("authorization failed" in report["error"], report["end"]) == (True, {})


@pytest.mark.parametrize(("password", "accepted"), [(PASSWORD, True), ("wrong-one", False)])
def test_iperf3_of_the_guest_authenticates_against_itself(
    guest: Guest, public_key: Path, password: str, accepted: bool
) -> None:
    del public_key
    guest.check(f"{AUTHENTICATED} && {LISTENS % IPERF}")
    result = guest.run(
        f"IPERF3_PASSWORD={password} iperf3 -c 127.0.0.1 -t 1 --json --username {USER} "
        f"--rsa-public-key-path {KEYS}/public",
        SECONDS,
    )
    report = json.loads(result.output)
    assert (result.status == 0) == accepted, result.output
    if accepted:
        assert report["end"]["sum_received"]["bytes"] > 1_000_000
    else:
        assert "authorization failed" in report["error"]


@pytest.fixture(scope="module")
def authority(guest: Guest) -> Path:
    """A certificate authority and a server with its certificate, all made in the guest."""
    new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    guest.check(
        "mkdir -p /run/tls && cd /run/tls && "
        f"{new} -keyout ca.key -out ca.pem -subj /CN=authority 2>/dev/null && "
        f"{new} -CA ca.pem -CAkey ca.key -keyout key -out pem -subj /CN=quard-star "
        "-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:quard-star "
        "2>/dev/null && cp ca.pem /mnt/ca.pem && "
        f"{{ openssl s_server -accept {TLS} -cert pem -key key -www >log 2>&1 & }} && "
        f"{LISTENS % TLS}",
        SECONDS,
    )
    return guest.share / "ca.pem"


CLIENT = "openssl s_client -verify_return_error -connect 127.0.0.1:{} -verify_hostname {} {} -quiet"


@pytest.mark.parametrize(
    ("name", "trusted", "verdict"),
    [
        ("quard-star", True, ""),
        ("other-board", True, "hostname mismatch"),
        ("quard-star", False, "unable to get local issuer certificate|self-signed certificate"),
    ],
)
@pytest.mark.parametrize("place", ["host", "guest"])
def test_tls_connection_is_verified(
    guest: Guest, authority: Path, place: str, name: str, trusted: bool, verdict: str
) -> None:
    request = r"printf 'GET / HTTP/1.0\r\n\r\n'"
    if place == "guest":
        trust = "-CAfile /run/tls/ca.pem" if trusted else ""
        result = guest.run(f"{request} | {CLIENT.format(TLS, name, trust)}", SECONDS)
        output, status = result.output, result.status
    else:
        trust = f"-CAfile '{authority}'" if trusted else ""
        command = f"{request} | {CLIENT.format(guest.port(TLS), name, trust)} 2>&1"
        done = subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, timeout=SECONDS, check=False
        )
        output, status = done.stdout, done.returncode
    if verdict:
        assert status != 0
        assert re.search(verdict, output), output
        assert "200 ok" not in output
    else:
        assert "HTTP/1.0 200 ok" in output, output
        assert "TLSv1.3" in output


def test_openssl_measures_its_own_speed(guest: Guest) -> None:
    output = guest.check("openssl speed -seconds 1 -bytes 16384 -mr -evp aes-128-gcm", SECONDS)
    (rate,) = re.findall(r"^\+F:\d+:AES-128-GCM:([\d.]+)$", output, re.MULTILINE)
    assert float(rate) > 1_000_000
    print(f"aes-128-gcm: {float(rate) / 1e6:.1f} MB/s")  # noqa: T201


def test_ethtool_counts_what_goes_through_the_interface(guest: Guest) -> None:
    def kicks() -> int:
        (found,) = re.findall(r"^ *tx_kicks: (\d+)$", guest.check("ethtool -S eth0"), re.MULTILINE)
        return int(found)

    before = kicks()
    guest.check("ping -c 3 -i 0.2 192.168.31.2")
    assert kicks() > before


def test_ethtool_switches_a_feature_off_and_on(guest: Guest) -> None:
    for state in ("off", "on"):
        guest.check(f"ethtool -K eth0 gro {state}")
        assert f"\ngeneric-receive-offload: {state}\n" in guest.check("ethtool -k eth0")


def test_ethtool_says_so_when_a_feature_is_fixed(guest: Guest) -> None:
    assert "\nlarge-receive-offload: off [fixed]\n" in guest.check("ethtool -k eth0")
    result = guest.run("ethtool -K eth0 lro on")
    assert (result.status, "Could not change any device features" in result.output) == (1, True)


def test_ethtool_talks_to_the_kernel_as_it_was_built_to(guest: Guest) -> None:
    """With libmnl by netlink, whose monitor waits for news; without it by ioctl, which has none."""
    netlink = guest.run("ls /usr/lib/libmnl.so*").status == 0
    result = guest.run("timeout 3 ethtool --monitor")
    assert ("Netlink not supported" in result.output) == (not netlink)
    assert (result.status == 143) == netlink, result
    print(f"ethtool uses {'netlink' if netlink else 'ioctl'}")  # noqa: T201
