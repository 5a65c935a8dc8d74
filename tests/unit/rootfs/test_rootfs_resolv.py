"""resolv.conf as default.script keeps it: tags, order, several interfaces, locks, faults."""

from __future__ import annotations

import fcntl

import pytest
from guestroot import Guest, Result
from lease import SCRIPT, bound, event, routes


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ({"search": "a.example b.example", "domain": "c.example"}, "a.example b.example"),
        ({"domain": "c.example"}, "c.example"),
    ],
)
def test_the_search_list_comes_before_the_domain(
    net: Guest, values: dict[str, str], first: str
) -> None:
    bound(net, **values)
    assert net.read("run/resolv.conf").splitlines()[0] == f"search {first} # eth0"


def test_every_line_of_resolv_conf_is_tagged_and_in_the_servers_order(net: Guest) -> None:
    bound(net, dns="10.0.0.1 10.0.0.2 10.0.0.3", domain="x.example")
    assert net.read("run/resolv.conf").splitlines() == [
        "search x.example # eth0",
        "nameserver 10.0.0.1 # eth0",
        "nameserver 10.0.0.2 # eth0",
        "nameserver 10.0.0.3 # eth0",
    ]


def test_two_interfaces_share_resolv_conf(net: Guest) -> None:
    bound(net)
    bound(net, interface="eth1", dns="10.0.0.1")
    bound(net, "renew", dns="192.168.31.4")
    assert net.read("run/resolv.conf").splitlines() == [
        "nameserver 10.0.0.1 # eth1",
        "nameserver 192.168.31.4 # eth0",
    ]
    event(net, "deconfig", "eth1")
    assert net.read("run/resolv.conf") == "nameserver 192.168.31.4 # eth0\n"


def test_resolv_conf_is_rewritten_in_place(net: Guest) -> None:
    target = net.write("run/resolv.conf", "nameserver 9.9.9.9\n")
    number = target.stat().st_ino
    bound(net)
    assert target.stat().st_ino == number
    assert net.read("run/resolv.conf") == "nameserver 9.9.9.9\nnameserver 192.168.31.3 # eth0\n"


def test_a_last_line_without_newline_is_kept_whole(net: Guest) -> None:
    net.write("run/resolv.conf", "nameserver 9.9.9.9")
    bound(net)
    assert net.read("run/resolv.conf") == "nameserver 9.9.9.9\nnameserver 192.168.31.3 # eth0\n"


def test_two_clients_at_the_same_moment_lose_no_line(net: Guest) -> None:
    clients = " & ".join(
        f"interface=eth{number} ip=10.0.{number}.2 dns=10.0.{number}.1 {SCRIPT} bound"
        for number in range(6)
    )
    net.stub("sleep", "busybox sleep 0.01")
    assert net.shell(f"{clients} & wait", live=True).status == 0
    lines = sorted(net.read("run/resolv.conf").splitlines())
    assert lines == [f"nameserver 10.0.{number}.1 # eth{number}" for number in range(6)]


def test_the_file_of_a_lock_that_nobody_holds_is_no_lock(net: Guest) -> None:
    net.write("run/network/resolv.lock", "7\n")
    assert bound(net) == Result(0, "default route via 192.168.31.2\nDNS server 192.168.31.3\n")
    assert net.called("sleep") == []


def test_a_lock_that_stays_taken_is_reported_and_overruled(net: Guest) -> None:
    with net.write("run/network/resolv.lock", "").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = bound(net)
    assert "stays taken" in result.out
    assert len(net.called("sleep")) == 40
    assert net.read("run/resolv.conf") == "nameserver 192.168.31.3 # eth0\n"


def test_a_read_only_resolv_conf_is_reported_and_the_hooks_still_run(net: Guest) -> None:
    net.write("run/resolv.conf", "nameserver 9.9.9.9\n")
    net.readonly.append("run/resolv.conf")
    net.program(f"{SCRIPT[1:]}.d/50-mine", "echo hook $1")
    result = bound(net)
    assert result.status == 1
    assert "eth0: /etc/resolv.conf cannot be written" in result.lines
    assert result.lines[-1] == "hook bound"
    assert net.read("run/resolv.conf") == "nameserver 9.9.9.9\n"
    assert len(routes(net)) == 1


def test_a_missing_resolv_conf_is_made(net: Guest) -> None:
    (net.root / "etc/resolv.conf").unlink()
    assert bound(net).status == 0
    assert net.read("etc/resolv.conf") == "nameserver 192.168.31.3 # eth0\n"
