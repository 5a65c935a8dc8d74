"""The services: start, stop, restart, usage error, pid file, and true statuses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from guestroot import Guest, Result

SERVICES = ("S01syslogd", "S40network", "S50sshd", "S60httpd")
SLEEP = 'busybox sleep "$1"'

DAEMON = """name=${0##*/}
printf '%s\\n' "$name $*" >>/stub/calls
if [ -f /stub/refuse ]; then echo "refused"; exit 5; fi
( trap "rm -f /run/$name.pid; exit" TERM
  [ ! -f /stub/die ] || exit
  [ -f /stub/silent ] || sh -c 'echo $PPID' >/run/$name.pid
  [ ! -f /stub/deaf ] || trap : TERM
  while :; do busybox sleep 0.01; done ) &
exit 0
"""
"""Goes into the background and writes its pid file like sshd; files in /stub make it misbehave."""

KEYGEN = """printf '%s\\n' "${0##*/}${*:+ $*}" >>/stub/calls
while [ $# -gt 0 ]; do
    case $1 in -f) file=$2 ;; -t) type=$2 ;; esac
    shift
done
printf 'half' >"$file" || exit 1
[ ! -f "/stub/fail-$type" ] || exit 1
echo "key $type" >"$file"
echo "public $type" >"$file.pub"
"""


@pytest.fixture
def box(guest: Guest) -> Guest:
    """A root where waiting is real."""
    guest.stub("sleep", SLEEP)
    return guest


@pytest.fixture
def ssh(box: Guest) -> Guest:
    """A root with OpenSSH."""
    box.program("usr/sbin/sshd", DAEMON)
    tool = box.root / "usr/libexec/ssh-keygen"
    tool.parent.mkdir()
    box.program("usr/libexec/ssh-keygen", KEYGEN)
    return add_tool(box, "ssh-keygen")


@pytest.fixture
def small(box: Guest) -> Guest:
    """A root with dropbear."""
    box.program("usr/sbin/dropbear", DAEMON)
    box.program("usr/libexec/dropbearkey", KEYGEN)
    return add_tool(box, "dropbearkey")


def add_tool(box: Guest, name: str) -> Guest:
    """Put a program of this root into /usr/bin, which all roots share."""
    if not (box.tools / name).exists():
        (box.tools / name).touch()
    box.binds.append((box.root / "usr/libexec" / name, f"/usr/bin/{name}"))
    return box


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


def test_without_ssh_server_the_boot_goes_on_with_a_clear_line(box: Guest) -> None:
    expected = Result(0, "No SSH server is installed, none started.\n")
    assert box.run("/etc/init.d/S50sshd", "start") == expected
    assert box.run("/etc/init.d/S50sshd", "stop") == Result(0, "")


def test_without_httpd_the_boot_goes_on_with_a_clear_line(box: Guest) -> None:
    expected = Result(0, "No httpd is installed, none started.\n")
    assert box.run("/etc/init.d/S60httpd", "start") == expected
    assert box.run("/etc/init.d/S60httpd", "stop") == Result(0, "")


def test_sshd_starts_once_and_stops(ssh: Guest) -> None:
    result = ssh.shell(
        "cd /etc/init.d; ./S50sshd start; ./S50sshd start\n"
        "kill -0 $(cat /run/sshd.pid) && echo runs\n"
        "./S50sshd stop; echo $?; ls /run/sshd.pid; pidof sshd; ./S50sshd stop; echo $?",
        live=True,
    )
    assert result.lines == [
        "Starting sshd... OK",
        "Starting sshd... already running",
        "runs",
        "Stopping sshd... OK",
        "0",
        "ls: /run/sshd.pid: No such file or directory",
        "Stopping sshd... OK",
        "0",
    ]
    assert len(ssh.called("sshd")) == 1


@pytest.mark.parametrize("action", ["restart", "reload"])
def test_restart_gives_a_new_process(ssh: Guest, action: str) -> None:
    result = ssh.shell(
        "cd /etc/init.d; ./S50sshd start; old=$(cat /run/sshd.pid)\n"
        f"./S50sshd {action}; echo $?; [ $old != $(cat /run/sshd.pid) ] && echo new",
        live=True,
    )
    assert result.lines == [
        "Starting sshd... OK",
        "Stopping sshd... OK",
        "Starting sshd... OK",
        "0",
        "new",
    ]


def test_a_killed_server_is_started_again_in_spite_of_its_pid_file(ssh: Guest) -> None:
    result = ssh.shell(
        "cd /etc/init.d; ./S50sshd start; kill -9 $(cat /run/sshd.pid)\n"
        "while pidof sshd >/dev/null; do :; done; ls /run/sshd.pid; ./S50sshd start; echo $?",
        live=True,
    )
    assert result.lines[-3:] == ["/run/sshd.pid", "Starting sshd... OK", "0"]


def test_a_pid_file_that_names_another_program_is_not_believed(ssh: Guest) -> None:
    result = ssh.shell(
        "busybox sleep 60 & echo $! >/run/sshd.pid; /etc/init.d/S50sshd stop; echo $?\n"
        "kill -0 $! && echo spared",
        live=True,
    )
    assert result.lines == ["Stopping sshd... OK", "0", "spared"]


def test_stop_waits_and_then_kills(ssh: Guest) -> None:
    ssh.stub("sleep", "busybox sleep 0.002")
    ssh.write("stub/deaf", "")
    result = ssh.shell(
        "cd /etc/init.d; ./S50sshd start; ./S50sshd stop; echo $?; pidof sshd || echo gone",
        live=True,
    )
    assert result.lines[1:] == ["Stopping sshd... OK", "0", "gone"]
    assert len(ssh.called("sleep")) >= 100


@pytest.mark.parametrize("fault", ["refuse", "die", "silent"])
def test_a_server_that_does_not_come_up_is_a_failed_start(ssh: Guest, fault: str) -> None:
    ssh.stub("sleep", "busybox sleep 0.002")
    ssh.write(f"stub/{fault}", "")
    result = ssh.run("/etc/init.d/S50sshd", "start", live=True)
    assert result.status != 0
    assert result.out.endswith("FAIL\n")


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


def test_host_keys_are_made_once_and_persist(ssh: Guest) -> None:
    start = "/etc/init.d/S50sshd"
    assert ssh.run(start, "start", live=True).status == 0
    keys = sorted(path.name for path in (ssh.root / "etc/ssh").glob("ssh_host*"))
    assert keys == [
        "ssh_host_ecdsa_key",
        "ssh_host_ecdsa_key.pub",
        "ssh_host_ed25519_key",
        "ssh_host_ed25519_key.pub",
    ]
    assert ssh.read("etc/ssh/ssh_host_ed25519_key") == "key ed25519\n"
    assert ssh.called("sync") == ["sync"]
    ssh.forget()
    assert ssh.run(start, "start", live=True).status == 0
    assert ssh.calls[0] == "sshd -h /etc/ssh/ssh_host_ed25519_key -h /etc/ssh/ssh_host_ecdsa_key"


def test_a_boot_cut_off_while_making_keys_is_made_good(ssh: Guest) -> None:
    ssh.write("etc/ssh/ssh_host_ed25519_key.new", "half")
    ssh.write("etc/ssh/ssh_host_ecdsa_key", "")
    assert ssh.run("/etc/init.d/S50sshd", "start", live=True).status == 0
    assert ssh.read("etc/ssh/ssh_host_ed25519_key") == "key ed25519\n"
    assert ssh.read("etc/ssh/ssh_host_ecdsa_key") == "key ecdsa\n"
    assert not list((ssh.root / "etc/ssh").glob("*.new*"))


def test_on_a_read_only_root_the_keys_last_for_the_boot(ssh: Guest) -> None:
    ssh.readonly.append("etc")
    result = ssh.run("/etc/init.d/S50sshd", "start", live=True)
    assert result.status == 0
    assert "(host keys in /run/ssh, for this boot only" in result.out
    assert ssh.called("sshd") == [
        "sshd -h /run/ssh/ssh_host_ed25519_key -h /run/ssh/ssh_host_ecdsa_key"
    ]
    assert len(ssh.called("ssh-keygen")) == 2


def test_keys_that_are_there_serve_on_a_read_only_root(ssh: Guest) -> None:
    for kind in ("ed25519", "ecdsa"):
        ssh.write(f"etc/ssh/ssh_host_{kind}_key", "key\n")
    ssh.readonly.append("etc")
    assert ssh.run("/etc/init.d/S50sshd", "start", live=True).out == "Starting sshd... OK\n"
    assert ssh.called("ssh-keygen") == []


def test_a_full_disk_leaves_no_half_key(ssh: Guest) -> None:
    # Making the ecdsa key fails after the file is there, once: as when the disk is full.
    ssh.program(
        "usr/libexec/ssh-keygen",
        KEYGEN.replace('[ ! -f "/stub/fail-$type" ]', "case $file in /etc/*ecdsa*) false;; esac"),
    )
    assert ssh.run("/etc/init.d/S50sshd", "start", live=True).status == 0
    kept = sorted(path.name for path in (ssh.root / "etc/ssh").glob("ssh_host*"))
    assert kept == ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"]
    assert ssh.called("sshd")[0].count("/run/ssh/") == 2


def test_without_any_key_the_start_fails(ssh: Guest) -> None:
    ssh.write("stub/fail-ed25519", "")
    result = ssh.run("/etc/init.d/S50sshd", "start", live=True)
    assert result.status == 1
    assert result.out == "Starting sshd... no host keys\nFAIL\n"
    assert ssh.called("sshd") == []


def test_the_settings_name_the_key_folder_and_arguments(ssh: Guest) -> None:
    ssh.write("etc/default/sshd", 'HOST_KEY_DIR=/mnt/keys\nSSHD_ARGS="-p 2222"\n')
    assert ssh.run("/etc/init.d/S50sshd", "start", live=True).status == 0
    assert ssh.called("sshd") == [
        "sshd -h /mnt/keys/ssh_host_ed25519_key -h /mnt/keys/ssh_host_ecdsa_key -p 2222"
    ]


def test_the_real_ssh_keygen_takes_our_arguments_without_asking(ssh: Guest, tmp_path: Path) -> None:
    real = shutil.which("ssh-keygen")
    assert real is not None, "ssh-keygen is missing: install openssh-client"
    assert ssh.run("/etc/init.d/S50sshd", "start", live=True).status == 0
    calls = ssh.called("ssh-keygen")
    assert len(calls) == 2
    for number, call in enumerate(calls):
        # The record joins arguments with blanks: -N '' -C '' are two blanks each.
        parsed = re.fullmatch(r"ssh-keygen -q -t (\w+) -N  -C  -f (\S+)", call)
        assert parsed is not None
        file = tmp_path / f"key{number}"
        argv = [real, "-q", "-t", parsed[1], "-N", "", "-C", "", "-f", str(file)]
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert parsed[1] in file.with_suffix(".pub").read_text()


def test_dropbear_serves_where_there_is_no_openssh(small: Guest) -> None:
    result = small.shell(
        "cd /etc/init.d; ./S50sshd start; cat /run/dropbear.pid >/dev/null && ./S50sshd stop",
        live=True,
    )
    assert result == Result(0, "Starting dropbear... OK\nStopping dropbear... OK\n")
    folder = "/etc/dropbear/dropbear"
    assert small.called("dropbearkey") == [
        f"dropbearkey -t {kind} -f {folder}_{kind}_host_key.new" for kind in ("ed25519", "ecdsa")
    ]
    assert small.called("dropbear") == [
        f"dropbear -s -P /run/dropbear.pid -r {folder}_ed25519_host_key -r {folder}_ecdsa_host_key"
    ]


def test_openssh_is_preferred_to_dropbear(ssh: Guest) -> None:
    ssh.program("usr/sbin/dropbear", DAEMON)
    assert ssh.run("/etc/init.d/S50sshd", "start", live=True).out == "Starting sshd... OK\n"
    assert ssh.called("dropbear") == []


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
