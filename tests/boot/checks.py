"""What holds on every system that boots, whichever root file system and SSH server it has.

Each check is a function with the name of what holds; a test module runs `ALL` of them on its guest
(`@pytest.mark.parametrize("holds", checks.ALL, ids=checks.name)`), and `power_off` at its end.
"""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from boot.guest import Guest, Ssh
from boot.lines import complaints

ADDRESS = "192.168.31.100"
ROUTER = "192.168.31.2"
NAME_SERVER = "192.168.31.3"


@dataclass(frozen=True)
class System:
    """A guest that has booted, with root logged in on the console and a key put there.

    server -- the name of its SSH server
    processor -- as uname(2) names it
    clock  -- whether it has a clock of its own besides the processor's
    note   -- the line about this system that its boot log has, in the middle of the others
    chance -- pattern of a line that its boot log may have or not
    """

    guest: Guest
    ssh: Ssh
    server: str = "sshd"
    note: str = ""
    chance: str = ""
    processor: str = "riscv64"
    clock: bool = True

    @property
    def boot_log(self) -> str:
        """The boot log without the note, which must be there, and without what may be."""
        log = self.guest.boot_log
        if self.chance:
            log = re.sub(f"^.*{self.chance}\r?\n", "", log, flags=re.MULTILINE)
        if not self.note:
            return log
        before, found, rest = log.partition(f"{self.note}\n")
        assert found, f"{self.note!r} is not in:\n{before}"
        return before + rest


def admit(guest: Guest, key: Path) -> Ssh:
    """Let root log in with `key`, whose public half lies beside it; return the way in.

    A root file system that cannot be written gets a folder in memory for it.
    """
    public = key.with_suffix(".pub").read_text(encoding="ascii").strip()
    guest.check(
        "umask 077; cd /root/.ssh && { touch authorized_keys 2>/dev/null"
        " || mount -t tmpfs -o mode=0700 tmpfs /root/.ssh && cd /root/.ssh; }"
        f" && echo '{public}' >>authorized_keys"
    )
    return Ssh(guest.port(22), key)


def assert_in_order(text: str, patterns: tuple[str, ...]) -> None:
    """Each pattern is found in `text`, each behind the one before."""
    rest = text
    for pattern in patterns:
        found = re.search(pattern, rest, re.MULTILINE)
        assert found, f"{pattern!r} is not in what follows:\n{rest}"
        rest = rest[found.end() :]


def fetch(guest: Guest, path: str) -> str:
    """Return a page of the guest's web server, through the host's forwarded port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{guest.port(80)}{path}", timeout=60) as answer:
        assert answer.status == 200
        text: str = answer.read().decode()
    return text


def default_routes(guest: Guest) -> list[str]:
    """Return the lines of the default routes (busybox's ip lists others for `default`, too)."""
    return [line for line in guest.check("ip route").splitlines() if line.startswith("default ")]


def boot_log_shows_lease_servers_banner_and_prompt_in_order(system: System) -> None:
    assert_in_order(
        system.boot_log,
        (
            r"^Starting syslogd\.\.\. OK$",
            r"^Starting klogd\.\.\. OK$",
            r"^Starting network\.\.\.$",
            r"^udhcpc: broadcasting discover$",
            rf"^udhcpc: broadcasting select for {ADDRESS}, server {ROUTER}$",
            rf"^udhcpc: lease of {ADDRESS} obtained from {ROUTER}, lease time \d+$",
            rf"^default route via {ROUTER}$",
            rf"^DNS server {NAME_SERVER}$",
            r"^OK$",
            rf"^Starting {system.server}\.\.\. OK$",
            r"^Starting httpd\.\.\. OK$",
            r"^ Quard Star is up, \d+\.\d+ s after power-on\.$",
            r"^quard-star login: \Z",
        ),
    )


def boot_has_no_complaint(system: System) -> None:
    assert complaints(system.boot_log) == []
    assert system.guest.check("cat /run/boot-status") == "ok"


def interface_has_the_leased_address(system: System) -> None:
    assert f"inet {ADDRESS}/24" in system.guest.check("ip addr show dev eth0")


def only_default_route_and_name_server_are_those_of_the_machine(system: System) -> None:
    routes = default_routes(system.guest)
    assert len(routes) == 1 and routes[0].startswith(f"default via {ROUTER} dev eth0 "), routes
    assert system.guest.check("cat /etc/resolv.conf") == f"nameserver {NAME_SERVER}"


def ssh_with_a_key_runs_a_command_as_root(system: System) -> None:
    done = system.ssh.run("id -u; uname -m; exit 7")
    assert (done.stdout, done.returncode) == (f"0\n{system.processor}\n", 7), done.stderr


def ssh_offers_no_password(system: System) -> None:
    done = system.ssh.run("true", "-o", "PubkeyAuthentication=no")
    assert done.returncode == 255
    assert re.search(r"Permission denied \(publickey\)", done.stderr), done.stderr


def status_page_is_served_through_the_forward(system: System) -> None:
    assert "<title>Quard Star status</title>" in fetch(system.guest, "/")
    lines = fetch(system.guest, "/cgi-bin/status").splitlines()
    assert "host: quard-star" in lines
    assert "boot: ok" in lines
    assert f"address of eth0: {ADDRESS}/24" in lines


def system_log_takes_messages_of_programs_and_of_the_kernel(system: System) -> None:
    system.guest.check("logger -t checks -p user.notice said in the guest")
    log = system.guest.check("cat /var/log/messages")
    assert re.search(r" quard-star user\.notice checks: said in the guest$", log, re.MULTILINE)
    assert re.search(r" kern\.\w+ kernel: .*Linux version ", log)


def shared_folder_carries_files_both_ways(system: System) -> None:
    guest = system.guest
    (guest.share / "from-host").write_text("hello guest\n", encoding="ascii")
    assert guest.check("cat /mnt/from-host") == "hello guest"
    guest.check("echo hello host >/mnt/from-guest")
    assert (guest.share / "from-guest").read_text(encoding="ascii") == "hello host\n"


def dev_root_is_the_disk_of_the_root_or_nothing(system: System) -> None:
    guest = system.guest
    number = guest.check("mountpoint -d /").strip()
    if number.startswith("0:"):  # no disk: memory, or layers
        assert guest.run("[ -e /dev/root ] || [ -L /dev/root ]").status == 1
        return
    assert guest.check("stat -L -c %F /dev/root") == "block special file"
    numbers = guest.check("stat -L -c '%t %T' /dev/root").split()
    assert ":".join(str(int(part, 16)) for part in numbers) == number


def hardware_clock_is_utc_whatever_the_time_zone(system: System) -> None:
    if not system.clock:
        assert system.guest.run("[ -e /dev/rtc ] || [ -e /dev/rtc0 ]").status == 1
        assert abs(int(system.guest.check("date +%s")) - time.time()) < 60
        return
    # The board's clock counts whole seconds. The kernel adds half a second when it takes the time
    # from it (drivers/rtc/class.c, rtc_hctosys), hwclock adds nothing: time may go back a second.
    before = int(system.guest.check("date +%s"))
    after = int(system.guest.check("TZ=CET-1 hwclock -s && date +%s"))
    assert abs(after - before) < 60
    written = int(system.guest.check("TZ=CET-1 hwclock -w && hwclock -s -u && date +%s"))
    assert abs(written - after) < 60


def kernel_parameters_are_those_of_the_file(system: System) -> None:
    file = Path(__file__).resolve().parents[2] / "rootfs/etc/sysctl.conf"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if " = " in line]
    names = [line.partition(" = ")[0] for line in lines]
    assert system.guest.check(f"sysctl {' '.join(names)}").splitlines() == lines
    assert lines


def programs_lie_at_another_address_at_each_start(system: System) -> None:
    """busybox is static, and position-independent all the same."""
    first, second = (system.guest.check("grep -m 1 busybox /proc/self/maps") for _ in range(2))
    assert first.endswith("/busybox")
    assert second.endswith("/busybox")
    assert first.partition(" ")[0] != second.partition(" ")[0]


ALL: tuple[Callable[[System], None], ...] = (
    boot_log_shows_lease_servers_banner_and_prompt_in_order,
    boot_has_no_complaint,
    interface_has_the_leased_address,
    only_default_route_and_name_server_are_those_of_the_machine,
    ssh_with_a_key_runs_a_command_as_root,
    ssh_offers_no_password,
    status_page_is_served_through_the_forward,
    system_log_takes_messages_of_programs_and_of_the_kernel,
    shared_folder_carries_files_both_ways,
    dev_root_is_the_disk_of_the_root_or_nothing,
    hardware_clock_is_utc_whatever_the_time_zone,
    kernel_parameters_are_those_of_the_file,
    programs_lie_at_another_address_at_each_start,
)


def name(check: Callable[[System], None]) -> str:
    """Return what a test that runs the check is called."""
    return check.__name__


def power_off(guest: Guest, server: str = "sshd", last: str = "Power down") -> None:
    """Power-off takes everything down in order, without a complaint, and ends QEMU with 0.

    last -- the last line that the console is sure to show
    """
    status, text = guest.power_off()
    assert status == 0
    assert complaints(text) == []
    assert_in_order(
        text,
        (
            r"^Stopping httpd\.\.\. OK$",
            rf"^Stopping {server}\.\.\. OK$",
            r"^Stopping network\.\.\.$",
            r"^OK$",
            r"^Stopping klogd\.\.\. OK$",
            r"^Stopping syslogd\.\.\. OK$",
            last,
        ),
    )
    assert "keeps its lease" not in text
