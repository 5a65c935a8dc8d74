"""resolv.conf as default.script makes it: parts, order, several interfaces, locks, faults."""

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
    assert net.read("run/resolv.conf").splitlines()[0] == f"search {first}"


def test_resolv_conf_is_in_the_servers_order(net: Guest) -> None:
    bound(net, dns="10.0.0.1 10.0.0.2 10.0.0.3", domain="x.example")
    assert net.read("run/resolv.conf").splitlines() == [
        "search x.example",
        "nameserver 10.0.0.1",
        "nameserver 10.0.0.2",
        "nameserver 10.0.0.3",
    ]


def test_search_lists_of_two_interfaces_are_one_line(net: Guest) -> None:
    bound(net, search="a.example b.example")
    bound(net, interface="eth1", search="b.example c.example", dns="192.168.31.3 10.0.0.1")
    assert net.read("run/resolv.conf").splitlines() == [
        "search a.example b.example c.example",
        "nameserver 192.168.31.3",
        "nameserver 10.0.0.1",
    ]


def test_two_interfaces_share_resolv_conf(net: Guest) -> None:
    bound(net)
    bound(net, interface="eth1", dns="10.0.0.1")
    bound(net, "renew", dns="192.168.31.4")
    assert net.read("run/resolv.conf").splitlines() == [
        "nameserver 192.168.31.4",
        "nameserver 10.0.0.1",
    ]
    event(net, "deconfig", "eth1")
    assert net.read("run/resolv.conf") == "nameserver 192.168.31.4\n"


OWN = "etc/resolv.conf.local"


def test_lines_of_ones_own_come_first(net: Guest) -> None:
    net.write(OWN, "options timeout:1\nnameserver 9.9.9.9 # mine\nsearch own.example # mine\n")
    bound(net, domain="x.example")
    assert net.read("run/resolv.conf").splitlines() == [
        "options timeout:1",
        "search own.example x.example",
        "nameserver 9.9.9.9",
        "nameserver 192.168.31.3",
    ]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_last_line_of_ones_own_needs_no_newline(net: Guest, end: str) -> None:
    net.write(OWN, f"nameserver 9.9.9.9{end}")
    bound(net)
    assert net.read("run/resolv.conf") == "nameserver 9.9.9.9\nnameserver 192.168.31.3\n"


def test_lines_of_ones_own_count_without_a_network(guest: Guest) -> None:
    guest.write(OWN, "nameserver 9.9.9.9\n")
    assert guest.run("/etc/init.d/S40network", "start").status == 0
    assert guest.read("run/resolv.conf") == "nameserver 9.9.9.9\n"


def test_words_from_the_network_add_no_lines(net: Guest) -> None:
    result = bound(net, search="a.example b;c d`e x\nnameserver 6.6.6.6", dns="1.1.1.1;2 $(id)")
    assert net.read("run/resolv.conf").splitlines()[0] == "search a.example x"
    assert "$" not in net.read("run/resolv.conf")
    assert "eth0: an invalid search domain is ignored" in result.lines


def test_a_file_of_ones_own_in_the_links_place_is_left_alone(net: Guest) -> None:
    (net.root / "etc/resolv.conf").unlink()
    net.write("etc/resolv.conf", "nameserver 9.9.9.9\n")
    assert bound(net).status == 0
    assert net.read("etc/resolv.conf") == "nameserver 9.9.9.9\n"


def test_a_reader_never_sees_half_a_file(net: Guest) -> None:
    target = net.write("run/resolv.conf", "nameserver 9.9.9.9\n")
    with target.open() as reader:
        bound(net)
        assert reader.read() == "nameserver 9.9.9.9\n"


def test_two_clients_at_the_same_moment_lose_no_line(net: Guest) -> None:
    clients = " & ".join(
        f"interface=eth{number} ip=10.0.{number}.2 dns=10.0.{number}.1 {SCRIPT} bound"
        for number in range(6)
    )
    net.stub("sleep", "busybox sleep 0.01")
    assert net.shell(f"{clients} & wait", live=True).status == 0
    lines = sorted(net.read("run/resolv.conf").splitlines())
    assert lines == [f"nameserver 10.0.{number}.1" for number in range(6)]


def test_the_file_of_a_lock_that_nobody_holds_is_no_lock(net: Guest) -> None:
    net.write("run/network/resolv.lock", "7\n")
    assert bound(net) == Result(0, "default route via 192.168.31.2\nDNS server 192.168.31.3\n")
    assert net.called("sleep") == []


def test_a_lock_that_stays_taken_is_reported_and_overruled(net: Guest) -> None:
    with net.write("run/network/resolv.lock", "").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = bound(net)
    assert "still locked" in result.out
    assert len(net.called("sleep")) == 40
    assert net.read("run/resolv.conf") == "nameserver 192.168.31.3\n"


def test_a_resolv_conf_that_cannot_be_written_is_reported_and_the_hooks_still_run(
    net: Guest,
) -> None:
    net.write("run/resolv.conf", "nameserver 9.9.9.9\n")
    net.readonly.append("run/resolv.conf")
    net.program(f"{SCRIPT[1:]}.d/50-mine", "echo hook $1")
    result = bound(net)
    assert result.status == 1
    assert "eth0: /run/resolv.conf cannot be written" in result.lines
    assert result.lines[-1] == "hook bound"
    assert net.read("run/resolv.conf") == "nameserver 9.9.9.9\n"
    assert len(routes(net)) == 1


def test_a_missing_resolv_conf_is_made_a_link(net: Guest) -> None:
    (net.root / "etc/resolv.conf").unlink()
    assert bound(net).status == 0
    assert (net.root / "etc/resolv.conf").readlink().as_posix() == "../run/resolv.conf"
    assert net.read("run/resolv.conf") == "nameserver 192.168.31.3\n"
