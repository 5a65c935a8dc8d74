"""The services: start, stop, restart, usage error, pid file, and true statuses."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from guestroot import STUB, Guest, Result

from quard.model import Service
from quard.plan.services import script

SERVICES = "S01syslogd S30dbus S40network S50dropbear S50sshd S55dnsmasq S60httpd".split()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("arguments", [(), ("status",), ("",), ("START",)])
def test_an_unknown_action_is_a_usage_error(
    box: Guest, service: str, arguments: tuple[str, ...]
) -> None:
    result = box.run(f"/etc/init.d/{service}", *arguments)
    assert result == Result(2, f"Usage: {service} {{start|stop|restart|reload}}\n")
    assert box.calls == []


@pytest.mark.parametrize("service", SERVICES)
def test_stopping_what_does_not_run_succeeds(box: Guest, service: str) -> None:
    assert box.run(f"/etc/init.d/{service}", "stop").status == 0


def test_without_httpd_the_boot_goes_on_with_a_clear_line(box: Guest) -> None:
    expected = Result(0, "No httpd is installed, none started.\n")
    assert box.run("/etc/init.d/S60httpd", "start") == expected
    assert box.run("/etc/init.d/S60httpd", "stop") == Result(0, "")


def test_a_service_without_a_script_of_its_own_starts_and_ends_its_program(box: Guest) -> None:
    box.program("usr/sbin/dnsmasq", 'echo "dnsmasq $*" >>/stub/calls; while :; do sleep 1; done')
    result = box.shell(
        "cd /etc/init.d; ./S55dnsmasq start; ./S55dnsmasq start; ./S55dnsmasq stop; echo $?\n"
        "ls /run/dnsmasq.pid",
        live=True,
    )
    assert result.lines[:4] == [
        "Starting dnsmasq... OK",
        "Starting dnsmasq... already running",
        "Stopping dnsmasq... OK",
        "0",
    ]
    assert "No such file" in result.lines[4]
    assert box.called("dnsmasq") == ["dnsmasq --keep-in-foreground"]


def test_a_service_without_a_script_of_its_own_fails_if_its_program_ends(box: Guest) -> None:
    box.stub("sleep", "busybox sleep 0.002")
    box.program("usr/sbin/dnsmasq", "exit 1")
    result = box.run("/etc/init.d/S55dnsmasq", "start", live=True)
    assert result == Result(1, "Starting dnsmasq... FAIL\n")


@pytest.mark.parametrize("action", ["start", "restart"])
def test_a_program_that_ends_soon_is_a_failed_start(box: Guest, action: str) -> None:
    box.program("usr/sbin/dnsmasq", "busybox sleep 0.1; exit 3")
    result = box.run("/etc/init.d/S55dnsmasq", action, live=True)
    assert result.status == 1
    assert result.lines[-1] == "Starting dnsmasq... FAIL"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("exit 3", "ended with status 3"),
        ("busybox sleep 0.2; echo last words; exit 0", "last words\nended with status 0"),
        ("kill -KILL $$", "Killed\nended with status 137"),
    ],
)
def test_the_log_says_how_a_program_has_ended(box: Guest, code: str, said: str) -> None:
    box.program("usr/sbin/thing", code)
    box.stub("logger", "cat >/stub/logged; mv /stub/logged /stub/ended")
    result = box.shell(
        ". /etc/init.d/functions; start_logged thing /usr/sbin/thing\n"
        "until [ -e /stub/ended ]; do busybox sleep 0.01; done; cat /stub/ended",
        live=True,
    )
    assert result.out == f"{said}\n"


def test_the_log_says_that_a_program_is_missing(box: Guest) -> None:
    box.stub("logger", "cat >/stub/logged; mv /stub/logged /stub/ended")
    result = box.shell(
        ". /etc/init.d/functions; start_logged thing /usr/sbin/thing\n"
        "until [ -e /stub/ended ]; do busybox sleep 0.01; done; cat /stub/ended",
        live=True,
    )
    assert "/usr/sbin/thing" in result.lines[0] and "No such file" in result.lines[0]
    assert re.fullmatch(r"ended with status [1-9]\d*", result.lines[-1])


@pytest.mark.parametrize(("user", "option"), [("root", ""), ("web", "-c web ")])
def test_a_service_runs_its_program_as_its_user(box: Guest, user: str, option: str) -> None:
    words = ("/usr/sbin/a thing", "--name", "it's")
    box.program("etc/init.d/S70thing", script("thing", Service("thing", 70, run=words, user=user)))
    box.program("sbin/start-stop-daemon", STUB)
    box.stub("sleep", "busybox sleep 0.002")
    assert box.run("/etc/init.d/S70thing", "start", live=True).status == 1
    waits = '-- -c { "$@"; echo "ended with status $?"; } >"$0" 2>&1 /run/a thing.log'
    inner = f"-S -q -m -p /run/a thing.pid {option}-x /usr/sbin/a thing -- --name it's"
    outer = f"-S -q -b -p /run/a thing.shell -x /bin/sh {waits}"
    wanted = f"start-stop-daemon {outer} /sbin/start-stop-daemon {inner}"
    assert box.called("start-stop-daemon") == [wanted]


START = """. /etc/init.d/functions
start_logged thing /usr/sbin/thing; wait_ready thing grep -qs '^thing' /stub/calls; echo $?
"""


@pytest.fixture
def thing(box: Guest) -> Guest:
    """A root with a program that stays in the foreground and prints a line."""
    box.program(
        "usr/sbin/thing", "echo thing >>/stub/calls; echo a line; while :; do busybox sleep 1; done"
    )
    box.stub("logger", "cat >>/stub/logged")
    return box


def test_a_logged_program_that_runs_is_not_started_again(thing: Guest) -> None:
    result = thing.shell(f"{START} start_logged thing /usr/sbin/thing; echo $?", live=True)
    assert result.out == "0\n1\n"
    assert thing.called("thing") == ["thing"]


def test_a_program_whose_output_cannot_be_logged_runs(thing: Guest) -> None:
    (thing.root / "run/thing.log").mkdir()
    lines = thing.shell(START, live=True).lines
    assert "File exists" in lines[0] and lines[1:] == ["0"]
    assert thing.called("thing") == ["thing"]
    assert thing.called("logger") == []


@pytest.mark.parametrize("end", ["stop_daemon thing", "start_logged thing /usr/sbin/thing"])
def test_a_logger_of_a_program_that_was_never_started_ends(thing: Guest, end: str) -> None:
    """start-stop-daemon changes the user when it runs in the background already."""
    thing.stub("sleep", "busybox sleep 0.002")
    begin = f"daemon_user=nobody-there\n{START} logger=$!\n"
    result = thing.shell(f"{begin} {end}\nwait $logger; echo ended", live=True)
    assert result.out == "1\nended\n"
    assert thing.called("thing") == []


def test_a_socket_that_a_killed_bus_has_left_is_not_taken_for_one_that_listens(box: Guest) -> None:
    box.program("usr/bin/dbus-daemon", "while :; do sleep 1; done")
    leave = "import socket; socket.socket(socket.AF_UNIX).bind('system_bus_socket')"
    (box.root / "run/dbus").mkdir()
    subprocess.run([sys.executable, "-c", leave], cwd=box.root / "run/dbus", check=True)
    box.stub("sleep", "busybox sleep 0.001")
    result = box.run("/etc/init.d/S30dbus", "start", live=True)
    assert result == Result(1, "Starting dbus-daemon... FAIL\n")


def test_a_pid_file_that_is_being_rewritten_is_not_the_daemons_death(box: Guest) -> None:
    box.program(
        "usr/sbin/thing",
        "echo $$ >/run/thing.pid; busybox sleep 0.15; printf '' >/run/thing.pid\n"
        "busybox sleep 0.15; printf '' >/run/ready; echo $$ >/run/thing.pid; busybox sleep 5",
    )
    result = box.shell(
        ". /etc/init.d/functions; /usr/sbin/thing & wait_ready thing test -e /run/ready; echo $?",
        live=True,
    )
    assert result.out == "0\n"


@pytest.fixture
def log(box: Guest) -> Guest:
    """A root with the real syslogd, and a klogd, which without a kernel of its own is a stub."""
    (box.root / "usr/sbin/syslogd").symlink_to("../bin/busybox")
    box.program(
        "usr/sbin/klogd", 'echo "klogd $*" >>/stub/calls\nwhile :; do busybox sleep 1; done'
    )
    return box


def test_what_is_logged_arrives_in_the_file(log: Guest) -> None:
    result = log.shell(
        "cd /etc/init.d; ./S01syslogd start; echo $?; logger -t me hello\n"
        "polls=0; until grep -q hello /var/log/messages || [ $polls -gt 100 ]; do\n"
        "polls=$((polls + 1)); busybox sleep 0.01; done\n"
        "cat /run/syslogd.pid /run/klogd.pid | wc -l; ./S01syslogd stop; echo $?\n"
        "pidof syslogd klogd; ls /run",
        live=True,
    )
    assert result.lines == [
        "Starting syslogd... OK",
        "Starting klogd... OK",
        "0",
        "2",
        "Stopping klogd... OK",
        "Stopping syslogd... OK",
        "0",
    ]
    assert "user.notice me: hello\n" in log.read("var/log/messages")
    assert log.called("klogd") == ["klogd -n -c 1"]


@pytest.mark.parametrize("broken", ["syslogd", "klogd"])
def test_a_log_daemon_that_dies_is_a_failed_start_and_the_other_starts(
    log: Guest, broken: str
) -> None:
    log.stub("sleep", "busybox sleep 0.002")
    log.program(f"usr/sbin/{broken}", "exit 1")
    result = log.run("/etc/init.d/S01syslogd", "start", live=True)
    assert result.status == 1
    assert f"Starting {broken}... FAIL" in result.lines
    assert sum(line.endswith("OK") for line in result.lines) == 1


@pytest.fixture
def web(box: Guest) -> Guest:
    """A root with the real httpd on a port that needs no privilege, without the change of user."""
    script = box.read("etc/init.d/S60httpd")
    assert "port=80 hexport=0050" in script
    box.program("etc/init.d/S60httpd", script.replace("80 hexport=0050", "8080 hexport=1F90"))
    (box.root / "usr/libexec").mkdir()
    (box.root / "usr/libexec/httpd").symlink_to("../bin/busybox")
    box.program(
        "usr/sbin/httpd",
        'echo "httpd $*" >>/stub/calls\n'
        'set -- "$1" "$2" "$3" "$4" "$5"\nexec /usr/libexec/httpd "$@"',
    )
    box.stub(
        "ip",
        'echo "1: lo    inet 127.0.0.1/8 scope host lo"\n'
        'echo "2: eth0    inet 192.168.31.100/24 brd 192.168.31.255 scope global eth0"\n'
        'echo "2: eth0    inet6 fec0::5054/64 scope site"',
    )
    return box


FETCH = "busybox wget -q -O - http://127.0.0.1:8080"


def test_the_status_page_is_served(web: Guest) -> None:
    web.write("run/network/lease.eth0", "address 192.168.31.100/24\nrouter \nseconds 86400\n")
    web.write("run/boot-status", "ok\n")
    result = web.shell(
        f"cd /etc/init.d; ./S60httpd start; echo $?; {FETCH}/ | grep -o '<h1>.*</h1>'\n"
        f"{FETCH}/cgi-bin/status; ./S60httpd stop; echo $?; ls /run/httpd.pid",
        live=True,
    )
    text = result.out
    assert text.startswith("Starting httpd... OK\n0\n<h1>Quard Star is up</h1>\nhost: ")
    assert "\nkernel: Linux version " in text
    assert re.search(r"^uptime: \d+ days \d\d:\d\d:\d\d$", text, re.M)
    assert re.search(r"^memory: \d+ MiB of \d+ MiB available$", text, re.M)
    assert "\nboot: ok\naddress of eth0: 192.168.31.100/24\n" in text
    assert "\naddress of eth0: fec0::5054/64\n" in text
    assert "\nlease of eth0: address 192.168.31.100/24, seconds 86400\n" in text
    assert "127.0.0.1" not in text
    assert result.lines[-3:-1] == ["Stopping httpd... OK", "0"]
    assert web.called("httpd") == ["httpd -f -p 8080 -h /www -u www-data:www-data"]


def test_a_taken_port_is_a_clear_failure(web: Guest) -> None:
    result = web.shell(
        "busybox nc -l -p 8080 >/dev/null &\n"
        "until grep -q ':1F90 .* 0A ' /proc/net/tcp*; do :; done; /etc/init.d/S60httpd start",
        live=True,
    )
    assert result == Result(1, "Starting httpd... port 8080 is taken\nFAIL\n")
    assert web.called("httpd") == []


def test_an_httpd_that_dies_is_a_failed_start(web: Guest) -> None:
    web.stub("sleep", "busybox sleep 0.002")
    web.program("usr/sbin/httpd", "exit 1")
    result = web.run("/etc/init.d/S60httpd", "start", live=True)
    assert result == Result(1, "Starting httpd... FAIL\n")


@pytest.mark.parametrize(
    ("method", "first", "body"),
    [
        ("GET", "Content-Type: text/plain; charset=utf-8", True),
        ("HEAD", "Content-Type: text/plain; charset=utf-8", False),
        ("POST", "Status: 405 Method Not Allowed", False),
    ],
)
def test_the_status_script_knows_its_methods(
    web: Guest, method: str, first: str, body: bool
) -> None:
    web.write("proc/uptime", "93784.55 1.0\n")
    web.write("proc/meminfo", "MemTotal:  250000 kB\nMemAvailable:  200000 kB\n")
    result = web.run("/www/cgi-bin/status", env={"REQUEST_METHOD": method})
    assert result.status == 0
    head, _, rest = result.out.partition("\n\n")
    assert head.splitlines()[0] == first
    assert bool(rest) is body
    if body:
        assert "\nuptime: 1 days 02:03:04\n" in rest
        assert "\nboot: unknown\n" in rest
