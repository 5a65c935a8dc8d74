"""S50sshd and S50dropbear: the server's life, and its host keys."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from guestroot import Guest

DAEMON = """name=${0##*/}
printf '%s\\n' "$name $*" >>/stub/calls
if [ -f /stub/refuse ]; then echo "refused"; exit 5; fi
( trap "rm -f /run/$name.pid; exit" TERM
  [ ! -f /stub/die ] || exit
  [ ! -f /stub/deaf ] || trap : TERM
  [ -f /stub/silent ] || sh -c 'echo $PPID' >/run/$name.pid
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


@pytest.mark.parametrize(
    ("mounts", "folder"),
    [
        ("/dev/vda / ext4 rw 0 0\n/dev/vdb /data ext4 rw 0 0\n", "/data/ssh"),
        ("/dev/vda / ext4 rw 0 0\n", "/etc/ssh"),
    ],
)
def test_host_keys_are_on_the_data_disk_where_there_is_one(
    ssh: Guest, mounts: str, folder: str
) -> None:
    ssh.write("mounts", mounts)
    ssh.write("data/other", "")
    mount = "cat() { busybox cat /mounts; }; . /etc/init.d/S50sshd; echo $keys"
    result = ssh.shell(f"set -- start; {mount}", live=True)
    assert f"{folder}/ssh_host_ed25519_key {folder}/ssh_host_ecdsa_key" in result.out


def test_from_the_second_boot_on_the_folder_of_the_keys_tells_where_they_are(ssh: Guest) -> None:
    (ssh.root / "data/ssh").mkdir(parents=True)
    assert ssh.run("/etc/init.d/S50sshd", "start", live=True).status == 0
    assert ssh.called("sshd") == [
        "sshd -h /data/ssh/ssh_host_ed25519_key -h /data/ssh/ssh_host_ecdsa_key"
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


def test_dropbear_makes_its_keys_and_serves(small: Guest) -> None:
    result = small.shell(
        "cd /etc/init.d; ./S50dropbear start; ./S50dropbear start\n"
        "cat /run/dropbear.pid >/dev/null && ./S50dropbear stop",
        live=True,
    )
    assert result.lines == [
        "Starting dropbear... OK",
        "Starting dropbear... already running",
        "Stopping dropbear... OK",
    ]
    folder = "/etc/dropbear/dropbear"
    assert small.called("dropbearkey") == [
        f"dropbearkey -t {kind} -f {folder}_{kind}_host_key.new" for kind in ("ed25519", "ecdsa")
    ]
    assert small.called("dropbear") == [
        f"dropbear -s -P /run/dropbear.pid -r {folder}_ed25519_host_key -r {folder}_ecdsa_host_key"
    ]


def test_the_settings_of_dropbear_name_the_key_folder_and_arguments(small: Guest) -> None:
    small.write("etc/default/dropbear", 'HOST_KEY_DIR=/mnt/keys\nDROPBEAR_ARGS="-p 2222"\n')
    assert small.run("/etc/init.d/S50dropbear", "start", live=True).status == 0
    keys = " ".join(f"-r /mnt/keys/dropbear_{kind}_host_key" for kind in ("ed25519", "ecdsa"))
    assert small.called("dropbear") == [f"dropbear -s -P /run/dropbear.pid {keys} -p 2222"]


def test_a_key_that_dropbear_cannot_make_is_told_with_what_it_says(small: Guest) -> None:
    small.program("usr/libexec/dropbearkey", "echo no entropy >&2; exit 1")
    result = small.run("/etc/init.d/S50dropbear", "start", live=True)
    assert result.status == 1
    assert result.lines[0] == "Starting dropbear... no entropy"
    assert result.lines[-2:] == ["no host keys", "FAIL"]
    assert small.called("dropbear") == []
