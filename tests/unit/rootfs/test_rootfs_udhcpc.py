"""default.script: what each udhcpc event does to addresses, routes, resolv.conf and hooks."""

from __future__ import annotations

import pytest
from guestroot import Guest, Result
from lease import LEASE, SCRIPT, bound, event, routes


@pytest.mark.parametrize(("arguments", "env"), [((), {"interface": "eth0"}), (("bound",), {})])
def test_a_call_that_is_not_udhcpcs_fails_and_changes_nothing(
    net: Guest, arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    result = net.run(SCRIPT, *arguments, env=env)
    assert result.status == 1
    assert "must be run by udhcpc" in result.out
    assert net.calls == []


def test_deconfig_brings_the_link_up_without_ipv4_addresses(net: Guest) -> None:
    assert event(net, "deconfig") == Result(0, "")
    assert net.calls == ["ip link set eth0 up", "ip -4 addr flush dev eth0"]


def test_deconfig_removes_only_its_own_lines_and_facts(net: Guest) -> None:
    net.write("run/network/dns.eth0", "search a.example\nnameserver 1.1.1.1\n")
    net.write("run/network/dns.eth1", "nameserver 2.2.2.2\n")
    net.write("run/network/dns.eth01", "nameserver 3.3.3.3\n")
    net.write("run/network/routes.eth0", "default 192.168.31.2 200\n")
    net.write("run/network/lease.eth0", "address x\n")
    net.write("run/network/lease.eth1", "address y\n")
    assert event(net, "deconfig").status == 0
    assert net.read("run/resolv.conf") == "nameserver 3.3.3.3\nnameserver 2.2.2.2\n"
    kept = sorted(path.name for path in (net.root / "run/network").iterdir())
    assert kept == ["dns.eth01", "dns.eth1", "lease.eth1", "resolv.lock"]


@pytest.mark.parametrize("name", ["bound", "renew"])
def test_a_lease_sets_address_route_and_name_server(net: Guest, name: str) -> None:
    result = bound(net, name)
    assert result == Result(0, "default route via 192.168.31.2\nDNS server 192.168.31.3\n")
    assert net.calls == [
        "ip -4 -o addr show dev eth0",
        "ip addr replace 192.168.31.100/24 broadcast 192.168.31.255 dev eth0",
        "ip route replace default via 192.168.31.2 dev eth0 metric 200",
    ]
    assert net.read("run/resolv.conf") == "nameserver 192.168.31.3\n"
    assert (net.root / "etc/resolv.conf").is_symlink()


def test_the_lease_file_has_the_facts(net: Guest) -> None:
    bound(net)
    assert net.read("run/network/lease.eth0").splitlines() == [
        "address 192.168.31.100/24",
        "router 192.168.31.2",
        "dns 192.168.31.3",
        "server 192.168.31.2",
        "seconds 86400",
    ]


@pytest.mark.parametrize(
    ("ip", "mask", "subnet", "prefix"),
    [
        ("10.1.2.3", "", "255.255.255.0", 24),
        ("10.1.2.3", "", "255.255.240.0", 20),
        ("10.1.2.3", "", "255.255.255.252", 30),
        ("10.1.2.3", "", "255.255.255.255", 32),
        ("10.1.2.3", "", "254.0.0.0", 7),
        ("10.1.2.3", "22", "255.0.0.0", 22),
        ("10.1.2.3", "31", "", 31),
        ("9.1.2.3", "", "", 8),
        ("127.1.2.3", "", "", 8),
        ("128.1.2.3", "", "", 16),
        ("172.16.0.9", "", "", 16),
        ("191.1.2.3", "", "", 16),
        ("192.168.0.9", "", "", 24),
        ("223.1.2.3", "", "", 24),
    ],
)
def test_the_prefix_comes_from_the_mask_or_the_class(
    net: Guest, ip: str, mask: str, subnet: str, prefix: int
) -> None:
    values = {"ip": ip} | ({"mask": mask} if mask else {}) | ({"subnet": subnet} if subnet else {})
    assert event(net, "bound", **values).status == 0
    broadcast = " broadcast +" if prefix <= 30 else ""
    assert f"ip addr replace {ip}/{prefix}{broadcast} dev eth0" in net.calls


def test_another_address_goes_before_the_new_one_comes(net: Guest) -> None:
    net.stub(
        "ip",
        'case "$*" in *" show "*) echo "2: eth0    inet 192.168.31.7/24 brd 192.168.31.255";; esac',
    )
    bound(net, "renew")
    assert net.calls[1:3] == [
        "ip addr del 192.168.31.7/24 dev eth0",
        "ip addr replace 192.168.31.100/24 broadcast 192.168.31.255 dev eth0",
    ]


def test_a_renewed_address_is_not_taken_away(net: Guest) -> None:
    net.stub("ip", 'case "$*" in *" show "*) echo "2: eth0    inet 192.168.31.100/24 brd x";; esac')
    bound(net, "renew")
    assert not [call for call in net.calls if " del " in call]


def test_several_routers_are_ranked_in_the_servers_order(net: Guest) -> None:
    bound(net, router="192.168.31.2 192.168.31.9")
    assert routes(net) == [
        "ip route replace default via 192.168.31.2 dev eth0 metric 200",
        "ip route replace default via 192.168.31.9 dev eth0 metric 201",
    ]


def test_default_routes_of_two_interfaces_have_different_metrics(net: Guest) -> None:
    bound(net)
    bound(net, interface="eth1", ip="10.0.0.5", router="10.0.0.1")
    metrics = [call.rsplit(" ", 1)[1] for call in routes(net)]
    assert metrics == ["200", "300"]


def test_the_interfaces_own_metric_wins(net: Guest) -> None:
    bound(net, IF_METRIC="7")
    assert routes(net) == ["ip route replace default via 192.168.31.2 dev eth0 metric 7"]


def test_an_interface_without_index_still_gets_a_route(net: Guest) -> None:
    bound(net, interface="eth9")
    assert routes(net) == ["ip route replace default via 192.168.31.2 dev eth9 metric 0"]


def test_classless_routes_win_over_the_router(net: Guest) -> None:
    result = bound(net, staticroutes="10.0.0.0/8 192.168.31.7 0.0.0.0/0 192.168.31.8")
    assert result.status == 0
    assert routes(net) == [
        "ip route replace 10.0.0.0/8 via 192.168.31.7 dev eth0 metric 200",
        "ip route replace default via 192.168.31.8 dev eth0 metric 201",
    ]
    assert "192.168.31.2" not in "".join(routes(net))


def test_a_classless_route_without_gateway_is_on_the_link(net: Guest) -> None:
    bound(net, staticroutes="169.254.0.0/16 0.0.0.0")
    assert routes(net) == ["ip route replace 169.254.0.0/16 dev eth0 metric 200"]


def test_half_a_classless_route_is_reported_and_the_whole_ones_count(net: Guest) -> None:
    result = bound(net, staticroutes="10.0.0.0/8 192.168.31.7 172.16.0.0/12")
    assert result.status == 1
    assert "eth0: staticroutes has a destination without a gateway: 172.16.0.0/12" in result.lines
    assert len(routes(net)) == 1


def test_a_gateway_outside_a_network_of_one_is_reached_over_the_link(net: Guest) -> None:
    bound(net, mask="32", subnet="255.255.255.255", router="10.9.9.9")
    assert routes(net) == [
        "ip route replace 10.9.9.9/32 dev eth0 metric 200",
        "ip route replace default via 10.9.9.9 dev eth0 metric 200",
    ]


def test_renewing_removes_routes_that_the_server_no_longer_gives(net: Guest) -> None:
    bound(net, staticroutes="10.0.0.0/8 192.168.31.7 169.254.0.0/16 0.0.0.0")
    net.forget()
    bound(net, "renew")
    assert routes(net) == [
        "ip route del 10.0.0.0/8 via 192.168.31.7 dev eth0 metric 200",
        "ip route del 169.254.0.0/16 dev eth0 metric 201",
        "ip route replace default via 192.168.31.2 dev eth0 metric 200",
    ]


def test_renewing_the_same_lease_removes_no_route(net: Guest) -> None:
    bound(net)
    net.forget()
    bound(net, "renew")
    assert routes(net) == ["ip route replace default via 192.168.31.2 dev eth0 metric 200"]


def test_a_lease_without_a_router_takes_the_old_one_away(net: Guest) -> None:
    bound(net)
    net.forget()
    bound(net, "renew", router="")
    assert routes(net) == ["ip route del default via 192.168.31.2 dev eth0 metric 200"]


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        ("addr replace", "eth0: the address 192.168.31.100/24 cannot be set"),
        ("route replace", "eth0: the route to default via 192.168.31.2 cannot be set"),
    ],
)
def test_a_refused_address_or_route_is_said_and_the_rest_goes_on(
    net: Guest, failing: str, message: str
) -> None:
    net.stub("ip", f'case "$*" in *"{failing}"*) exit 2;; esac')
    result = bound(net)
    assert result.status == 1
    assert message in result.lines
    assert net.read("run/resolv.conf") == "nameserver 192.168.31.3\n"


def test_it_works_without_the_state_folder_and_without_hooks(net: Guest) -> None:
    (net.root / "run/network").rmdir()
    (net.root / f"{SCRIPT[1:]}.d").rmdir()
    assert event(net, "deconfig") == Result(0, "")
    assert bound(net).status == 0
    assert net.read("run/resolv.conf") == "nameserver 192.168.31.3\n"


def test_an_ipv6_lease_waits_for_its_default_route(net: Guest) -> None:
    net.stub(
        "ip",
        'case "$*" in *list) [ "$(grep -c list /stub/calls)" -lt 3 ] || echo "default via fe80::2"'
        ";; esac",
    )
    result = event(net, "bound", ipv6="fd00::5", dns="fd00::1")
    assert result.status == 0
    assert net.calls[0] == "ip -6 addr replace fd00::5/128 dev eth0"
    assert len(net.called("sleep")) == 2
    assert "Waiting for IPv6 default route to appear.." in result.lines
    assert net.read("run/resolv.conf") == "nameserver fd00::1\n"


@pytest.mark.parametrize(("delay", "seconds"), [(None, 10), ("3", 3), ("0", 0), ("x", 10)])
def test_the_wait_for_ipv6_ends(net: Guest, delay: str | None, seconds: int) -> None:
    extra = {} if delay is None else {"IF_WAIT_DELAY": delay}
    result = event(net, "bound", ipv6="fd00::5", **extra)
    assert result.status == 1
    assert net.called("sleep") == ["sleep 1"] * seconds
    assert result.lines[0].endswith("." * seconds + " timeout!")


def test_an_ipv6_lease_leaves_ipv4_alone(net: Guest) -> None:
    net.stub("ip", 'case "$*" in *list) echo "default via fe80::2";; esac')
    event(net, "bound", ipv6="fd00::5")
    assert all(call.startswith("ip -6 ") for call in net.calls)


@pytest.mark.parametrize("name", ["leasefail", "nak"])
def test_no_lease_is_said_and_changes_nothing(net: Guest, name: str) -> None:
    net.write("run/resolv.conf", "nameserver 1.1.1.1\n")
    result = event(net, name, message="address in use")
    assert result == Result(0, "eth0: no lease: address in use\n")
    assert net.calls == []
    assert net.read("run/resolv.conf") == "nameserver 1.1.1.1\n"


def test_a_servers_message_cannot_drive_the_terminal(net: Guest) -> None:
    result = event(net, "nak", message="\x1b[2Jgone")
    assert result == Result(0, "eth0: no lease: (a message with control characters)\n")


@pytest.mark.parametrize("late", ["bound", "renew"])
def test_a_missing_lease_is_in_the_boot_status_until_one_comes(net: Guest, late: str) -> None:
    net.write("run/boot-status", "ok\n")
    event(net, "leasefail")
    assert net.read("run/boot-status") == "failed: no lease on eth0\n"
    bound(net, late)
    assert net.read("run/boot-status") == "ok\n"


def test_an_interface_that_is_taken_down_misses_no_lease(net: Guest) -> None:
    net.write("run/boot-status", "ok\n")
    event(net, "leasefail")
    event(net, "leasefail", interface="eth1")
    down = {"IFACE": "eth0", "METHOD": "dhcp"}
    assert net.run("/etc/network/if-down.d/lease", env=down) == Result(0, "")
    assert net.read("run/boot-status") == "failed: no lease on eth1\n"


def mtu_of(net: Guest, size: str) -> None:
    net.write("sys/class/net/eth0/mtu", f"{size}\n")


def test_the_mtu_of_the_lease_is_set_and_set_back(net: Guest) -> None:
    mtu_of(net, "1500")
    assert "MTU 1400" in bound(net, mtu="1400").lines
    assert "ip link set eth0 mtu 1400" in net.calls
    mtu_of(net, "1400")
    net.forget()
    bound(net, "renew", mtu="1400")
    assert [call for call in net.calls if " mtu " in call] == []
    event(net, "deconfig")
    assert "ip link set eth0 mtu 1500" in net.calls


def test_a_lease_that_no_longer_has_an_mtu_sets_the_old_one(net: Guest) -> None:
    mtu_of(net, "1500")
    bound(net, mtu="1400")
    mtu_of(net, "1400")
    net.forget()
    bound(net, "renew")
    assert "ip link set eth0 mtu 1500" in net.calls


@pytest.mark.parametrize("size", ["0", "9", "67", "100000", "-1", "1400x", "1 2"])
def test_an_mtu_that_cannot_be_is_reported_and_the_lease_used(net: Guest, size: str) -> None:
    result = bound(net, mtu=size)
    assert result.status == 1
    assert "eth0: the server's MTU is out of range" in result.lines
    assert [call for call in net.calls if " mtu " in call] == []
    assert len(routes(net)) == 1


@pytest.mark.parametrize("size", ["68", "70", "576", "9000", "65535"])
def test_a_possible_mtu_is_taken(net: Guest, size: str) -> None:
    mtu_of(net, "1500")
    assert bound(net, mtu=size).status == 0
    assert f"ip link set eth0 mtu {size}" in net.calls


def test_avahi_autoipd_runs_while_there_is_no_lease(net: Guest) -> None:
    net.program(
        "usr/sbin/avahi-autoipd",
        'echo "autoipd $*" >>/stub/calls\n'
        "case $1 in -c) [ -e /run/up ];; -wD) echo >/run/up;; -k) rm /run/up;; esac",
    )
    event(net, "leasefail")
    assert net.called("autoipd") == ["autoipd -c eth0", "autoipd -wD eth0 --no-chroot"]
    net.forget()
    event(net, "deconfig")
    event(net, "deconfig")
    assert net.called("autoipd") == ["autoipd -c eth0", "autoipd -k eth0", "autoipd -c eth0"]


@pytest.mark.parametrize("name", ["deconfig", "bound", "renew", "leasefail", "nak", "other"])
def test_hooks_get_the_original_arguments_and_environment(net: Guest, name: str) -> None:
    folder = f"{SCRIPT[1:]}.d"
    net.program(f"{folder}/20-b", 'printf "[%s]" b "$@" "$interface" "$router" >>/stub/hooks')
    net.program(f"{folder}/05-a", 'printf "[%s]" a "$@" >>/stub/hooks')
    net.write(f"{folder}/30-not-executable", "echo never >>/stub/hooks\n")
    (net.root / folder / "40-folder").mkdir()
    result = net.run(
        SCRIPT,
        name,
        "two words",
        "*",
        env={"interface": "eth0", **LEASE, "staticroutes": "10.0.0.0/8 192.168.31.7"},
    )
    assert result.status == 0
    assert net.read("stub/hooks") == (
        f"[a][{name}][two words][*][b][{name}][two words][*][eth0][192.168.31.2]"
    )


def test_a_failing_hook_is_named_and_the_others_run(net: Guest) -> None:
    net.program(f"{SCRIPT[1:]}.d/20-bad", "exit 3")
    net.program(f"{SCRIPT[1:]}.d/30-good", "echo good")
    result = bound(net)
    assert result.status == 1
    assert f"eth0: {SCRIPT}.d/20-bad bound failed" in result.lines
    assert result.lines[-1] == "good"


def test_wildcards_from_a_server_do_not_become_file_names(net: Guest) -> None:
    net.write("secret", "")
    bound(net, dns="/s*", router="/s*", search="/s*")
    assert net.read("run/resolv.conf") == ""
    assert "via /s* dev" in routes(net)[0]
