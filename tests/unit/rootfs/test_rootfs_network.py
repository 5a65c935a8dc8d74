"""S40network, interfaces, wait_iface, nfs_check and static_dns."""

from __future__ import annotations

import pytest
from guestroot import Guest, Result

NETWORK = "/etc/init.d/S40network"
WAIT = "/etc/network/if-pre-up.d/wait_iface"
NFS_CHECK = "/etc/network/nfs_check"


def test_start_brings_up_every_interface_after_making_the_state_folder(guest: Guest) -> None:
    guest.stub("ifup", "[ -d /run/network ]")
    assert guest.run(NETWORK, "start") == Result(0, "Starting network...\nOK\n")
    assert guest.calls == ["ifup -a"]


def test_a_failed_start_names_the_interfaces(guest: Guest) -> None:
    guest.stub("ifup", "echo lo=lo >/run/network/ifstate; exit 1")
    assert guest.run(NETWORK, "start") == Result(1, "Starting network...\nnot up: eth0\nFAIL\n")


def test_a_failure_that_names_no_interface_is_still_a_failure(guest: Guest) -> None:
    guest.stub("ifup", "printf 'lo=lo\\neth0=eth0\\n' >/run/network/ifstate; exit 1")
    assert guest.run(NETWORK, "start") == Result(1, "Starting network...\nFAIL\n")


def test_an_interface_left_to_nfs_is_no_failure(guest: Guest) -> None:
    guest.stub("ifup", "echo lo=lo >/run/network/ifstate; >/run/network/nfs.eth0; exit 1")
    assert guest.run(NETWORK, "start") == Result(0, "Starting network...\nOK\n")


def test_stop_takes_everything_down(guest: Guest) -> None:
    assert guest.run(NETWORK, "stop") == Result(0, "Stopping network...\nOK\n")
    assert guest.calls == ["ifdown -a"]


def test_a_failed_stop_says_so(guest: Guest) -> None:
    guest.stub("ifdown", "exit 1")
    assert guest.run(NETWORK, "stop") == Result(1, "Stopping network...\nFAIL\n")


STATE = "/run/network/ifstate"


def test_stop_undoes_what_start_did_although_the_settings_have_changed(guest: Guest) -> None:
    guest.stub("ifup", f"echo eth0=eth0 >{STATE}")
    guest.stub("ifdown", f'[ $# -lt 3 ] || cp "$3" /stub/settings; >{STATE}')
    guest.run(NETWORK, "start")
    before = guest.read("etc/network/interfaces")
    guest.write("etc/network/interfaces", before.replace("dhcp", "static"))
    assert guest.run(NETWORK, "start").status == 0  # twice: the copy stays what it was
    assert guest.run(NETWORK, "stop") == Result(0, "Stopping network...\nOK\n")
    assert guest.called("ifdown") == ["ifdown -a -i /run/network/interfaces"]
    assert guest.read("stub/settings") == before
    assert not (guest.root / "run/network/interfaces").exists()


@pytest.mark.parametrize("status", [0, 1])
def test_stop_takes_down_what_was_brought_up_by_hand_too(guest: Guest, status: int) -> None:
    guest.stub("ifup", f"printf 'lo=lo\\neth0=eth0\\n' >{STATE}")
    guest.stub("ifdown", f"[ $1 = -a ] || exit {status}; echo eth1=home >{STATE}")
    guest.run(NETWORK, "start")
    assert guest.run(NETWORK, "stop").status == status
    assert guest.called("ifdown") == ["ifdown -a -i /run/network/interfaces", "ifdown eth1"]


CLIENT = """echo $$ >/run/udhcpc.eth0.pid
trap ">/run/released" USR2
trap "{on_term}" TERM
while :; do busybox sleep 0.01; done"""
RUN_CLIENT = "/usr/sbin/udhcpc & while [ ! -s /run/udhcpc.eth0.pid ]; do :; done\n"


def test_stop_waits_for_the_lease_to_be_given_back_before_interfaces_go_down(guest: Guest) -> None:
    guest.program("usr/sbin/udhcpc", CLIENT.format(on_term="exit"))
    guest.stub("ip", "[ -e /run/released ] || echo '    inet 192.168.31.100/24'")
    guest.stub("ifdown", "[ -e /run/released ] && kill $(cat /run/udhcpc.eth0.pid)")
    result = guest.shell(f"{RUN_CLIENT} {NETWORK} stop; echo $?; ls /run/released", live=True)
    assert result.out == "Stopping network...\nOK\n0\n/run/released\n"


def test_a_client_of_an_interface_that_is_no_longer_for_dhcp_is_ended(guest: Guest) -> None:
    guest.program("usr/sbin/udhcpc", CLIENT.format(on_term="exit"))
    result = guest.shell(f"{RUN_CLIENT} {NETWORK} stop; pidof udhcpc", live=True)
    assert result == Result(1, "Stopping network...\nOK\n")
    assert guest.called("ifdown") == ["ifdown -a"]


def test_a_client_that_does_not_end_is_reported(guest: Guest) -> None:
    guest.program("usr/sbin/udhcpc", CLIENT.format(on_term=":"))
    result = guest.shell(f"{RUN_CLIENT} {NETWORK} stop", live=True)
    assert result.status == 1
    assert "does not stop\nFAIL\n" in result.out
    assert len(guest.called("sleep")) == 60


@pytest.mark.parametrize("action", ["restart", "reload"])
def test_restart_stops_and_starts_and_tells_whether_it_runs_now(guest: Guest, action: str) -> None:
    guest.stub("ifdown", "exit 1")
    result = guest.run(NETWORK, action)
    assert result == Result(0, "Stopping network...\nFAIL\nStarting network...\nOK\n")
    assert guest.calls == ["ifdown -a", "ifup -a"]


def test_the_interfaces_file_is_what_ifup_expects(guest: Guest) -> None:
    (guest.root / "run/network").mkdir()
    result = guest.shell("busybox ifup -n -a")
    assert result.status == 0
    assert "/etc/network/nfs_check" in result.lines
    assert "run-parts /etc/network/if-pre-up.d" in result.lines
    client = next(line for line in result.lines if line.startswith("udhcpc"))
    assert "-i eth0 -x hostname:$(hostname)" in client


def test_a_fixed_address_is_what_ifup_expects(guest: Guest) -> None:
    text = guest.read("etc/network/interfaces")
    commented = [line[1:] for line in text.splitlines() if line.startswith("#\t")]
    guest.write(
        "etc/network/interfaces",
        text.replace("iface eth0 inet dhcp\n", "iface eth0 inet static\n" + "\n".join(commented))
        + "\n",
    )
    result = guest.shell("busybox ifup -n -a")
    assert "ip addr add 192.168.31.100/24 dev eth0" in result.out
    assert "ip route add default via 192.168.31.2 dev eth0" in result.out


def test_interfaces_that_do_not_wait_are_not_waited_for(guest: Guest) -> None:
    assert guest.run(WAIT, env={"IFACE": "eth0"}) == Result(0, "")
    assert guest.run(WAIT, env={"IFACE": "eth0", "IF_WAIT_DELAY": ""}) == Result(0, "")
    assert guest.calls == []


def test_an_interface_that_is_there_is_not_waited_for(guest: Guest) -> None:
    guest.write("sys/class/net/eth0/ifindex", "2\n")
    assert guest.run(WAIT, env={"IFACE": "eth0", "IF_WAIT_DELAY": "15"}) == Result(0, "")
    assert guest.calls == []


def test_an_interface_that_appears_ends_the_wait(guest: Guest) -> None:
    (guest.root / "sys/class/net").mkdir(parents=True)
    guest.stub("sleep", "[ $(wc -l </stub/calls) -lt 3 ] || mkdir /sys/class/net/eth0")
    result = guest.run(WAIT, env={"IFACE": "eth0", "IF_WAIT_DELAY": "15"})
    assert result == Result(0, "Waiting for interface eth0 to appear..\n")
    assert guest.calls == ["sleep 1"] * 3


@pytest.mark.parametrize("delay", [1, 15])
def test_the_wait_for_an_interface_times_out(guest: Guest, delay: int) -> None:
    result = guest.run(WAIT, env={"IFACE": "eth0", "IF_WAIT_DELAY": str(delay)})
    assert result == Result(1, f"Waiting for interface eth0 to appear{'.' * delay} timeout!\n")
    assert guest.calls == ["sleep 1"] * delay


@pytest.mark.parametrize("delay", ["x", "-1", "1.5", "1; reboot"])
def test_a_delay_that_is_no_number_is_refused(guest: Guest, delay: str) -> None:
    result = guest.run(WAIT, env={"IFACE": "eth0", "IF_WAIT_DELAY": delay})
    assert result.status == 1
    assert f"'{delay}'" in result.out


NFS = "srv:/root / nfs4 rw,clientaddr=10.0.0.5,mountaddr=10.9.9.9,addr=10.0.0.1,vers=4 0 0\n"
ROUTE = 'echo "10.0.0.1 dev eth0  src 10.0.0.5"'


@pytest.fixture
def client(guest: Guest) -> Guest:
    """A root whose kernel can mount NFS."""
    (guest.root / "proc/fs/nfsfs").mkdir(parents=True)
    return guest


@pytest.mark.parametrize(
    "mounts",
    [
        "/dev/root / ext4 rw 0 0\n",
        "srv:/x /data nfs rw,addr=10.0.0.1 0 0\n/dev/root / ext4 rw 0 0\n",
        NFS + "overlay / overlay rw 0 0\n",
    ],
)
def test_without_nfs_root_every_interface_is_free(client: Guest, mounts: str) -> None:
    client.write("proc/mounts", mounts)
    client.stub("ip", ROUTE)
    assert client.run(NFS_CHECK, env={"IFACE": "eth0"}) == Result(0, "")
    assert client.calls == []


def test_without_nfs_in_the_kernel_every_interface_is_free(guest: Guest) -> None:
    guest.write("proc/mounts", "/dev/root / ext4 rw 0 0\n")
    assert guest.run(NFS_CHECK, env={"IFACE": "eth0"}) == Result(0, "")


def test_the_interface_of_an_nfs_root_is_refused_with_a_mark(client: Guest) -> None:
    client.write("proc/mounts", "rootfs / rootfs rw 0 0\n" + NFS)
    (client.root / "run/network").mkdir()
    client.stub("ip", ROUTE)
    result = client.run(NFS_CHECK, env={"IFACE": "eth0"})
    assert result == Result(1, "Skipping eth0: the root is on NFS from 10.0.0.1\n")
    assert client.calls == ["ip route get 10.0.0.1"]
    assert (client.root / "run/network/nfs.eth0").exists()


@pytest.mark.parametrize("interface", ["eth1", "eth", "eth00", "src"])
def test_other_interfaces_are_free_beside_an_nfs_root(client: Guest, interface: str) -> None:
    client.write("proc/mounts", NFS)
    client.stub("ip", ROUTE)
    assert client.run(NFS_CHECK, env={"IFACE": interface}) == Result(0, "")


@pytest.mark.parametrize(
    ("mounts", "route", "message"),
    [
        ("srv:/root / nfs rw,mountaddr=10.9.9.9 0 0\n", ROUTE, "its server is unknown"),
        (NFS, "exit 2", "there is no route to 10.0.0.1"),
    ],
)
def test_when_the_way_to_an_nfs_root_is_unknown_nothing_is_touched(
    client: Guest, mounts: str, route: str, message: str
) -> None:
    client.write("proc/mounts", mounts)
    client.stub("ip", route)
    result = client.run(NFS_CHECK, env={"IFACE": "eth0"})
    assert result.status == 1
    assert message in result.out


STATIC = {
    "IFACE": "eth0",
    "METHOD": "static",
    "IF_DNS_NAMESERVERS": "10.0.0.1 10.0.0.2",
    "IF_DNS_SEARCH": "a.example",
}


def test_a_fixed_address_brings_its_name_servers_and_takes_them_away(guest: Guest) -> None:
    guest.write("run/network/dns.eth1", "nameserver 1.1.1.1\n")
    up = guest.run("/etc/network/if-up.d/static_dns", env={**STATIC, "MODE": "start"})
    assert up == Result(0, "")
    assert guest.read("run/resolv.conf").splitlines() == [
        "search a.example",
        "nameserver 10.0.0.1",
        "nameserver 10.0.0.2",
        "nameserver 1.1.1.1",
    ]
    down = guest.run("/etc/network/if-down.d/static_dns", env={**STATIC, "MODE": "stop"})
    assert down == Result(0, "")
    assert guest.read("run/resolv.conf") == "nameserver 1.1.1.1\n"


@pytest.mark.parametrize(
    "changes", [{"METHOD": "dhcp"}, {"IF_DNS_NAMESERVERS": "", "IF_DNS_SEARCH": ""}]
)
def test_other_interfaces_keep_their_name_servers(guest: Guest, changes: dict[str, str]) -> None:
    guest.write("run/resolv.conf", "nameserver 1.1.1.1\n")
    env = {**STATIC, "MODE": "start", **changes}
    assert guest.run("/etc/network/if-up.d/static_dns", env=env) == Result(0, "")
    assert guest.read("run/resolv.conf") == "nameserver 1.1.1.1\n"
