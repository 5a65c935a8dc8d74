"""The harness itself, with a shell script in the machine's place: it must see what goes wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from boot.guest import ConsoleError, Guest, Guests, Result
from boot.lines import complaints

CONSOLE = """\
echo 'forward: tcp 127.0.0.1:20001 -> guest port 22'
printf 'board login: '; read -r name
printf '# '; read -r loop
stty -onlcr
case $loop in "exec sh -c '"*) loop=${loop#"exec sh -c '"}; eval "${loop%"'"}" ;; esac
"""


def machine(folder: Path, text: str) -> Guest:
    script = folder / "run.sh"
    script.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
    script.chmod(0o755)
    return Guest(script, folder / "guest")


def test_commands_give_their_output_and_status(tmp_path: Path) -> None:
    with machine(tmp_path, CONSOLE) as guest:
        assert guest.boot(10).endswith("login: ")
        guest.log_in()
        assert guest.run("echo one; echo two >&2; exit 3") == Result(3, "one\ntwo")
        assert guest.run("printf 'no line end'") == Result(0, "no line end")
        assert guest.check("cat") == ""
        assert guest.port(22) == 20001
        with pytest.raises(ConsoleError, match="no host port leads to 80"):
            guest.port(80)
        with pytest.raises(ConsoleError, match="'false' gave status 1"):
            guest.check("false")


def test_command_of_several_lines_is_refused(tmp_path: Path) -> None:
    with machine(tmp_path, CONSOLE) as guest, pytest.raises(ValueError, match="one line"):
        guest.run("true\ntrue")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("echo last words; exit 1", "QEMU ended before"),
        (
            "echo last words; echo Kernel panic - no init; exec sleep 60",
            "the kernel panicked before",
        ),
        ("echo last words; exec sleep 60", "1 s went by before"),
    ],
)
def test_failure_says_what_happened_and_shows_the_last_lines(
    tmp_path: Path, text: str, what: str
) -> None:
    with machine(tmp_path, text) as guest, pytest.raises(ConsoleError) as caught:
        guest.boot(1)
    assert what in str(caught.value)
    assert "last words" in str(caught.value)


def test_question_for_a_password_is_a_failure(tmp_path: Path) -> None:
    text = "printf 'login: '; read -r name; printf 'Password: '; exec sleep 60"
    with machine(tmp_path, text) as guest:
        guest.boot(10)
        with pytest.raises(ConsoleError, match="asked for a password"):
            guest.log_in()


def test_status_of_the_end_is_seen(tmp_path: Path) -> None:
    with machine(tmp_path, "stty -echo; echo up; read -r order; echo going; exit 5") as guest:
        guest.wait_for(r"up\r*\n", 10)
        assert guest.power_off(10) == (5, "going\n")


def test_shell_is_silent_after_the_order_to_end(tmp_path: Path) -> None:
    with machine(tmp_path, CONSOLE) as guest:
        guest.boot(10)
        guest.log_in()
        guest.order("(sleep 0.3; echo OK) & printf 'Stopping... '")
        assert guest.wait_for(r"OK\r*\n", 10) == "Stopping... OK\n"


def test_end_that_does_not_come_is_a_failure(tmp_path: Path) -> None:
    with (
        machine(tmp_path, "exec sleep 60") as guest,
        pytest.raises(ConsoleError, match="did not end"),
    ):
        guest.power_off(1)


def test_closing_ends_a_machine_that_ignores_every_request(tmp_path: Path) -> None:
    guest = machine(tmp_path, "trap '' TERM HUP INT; echo up; while :; do sleep 1; done")
    guest.start().wait_for("up", 10)
    process = guest.child.pid
    assert process is not None
    guest.close()
    guest.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_each_guest_has_a_folder_and_all_end_together(tmp_path: Path) -> None:
    script = machine(tmp_path, "echo $PPID $*; exec sleep 60").script
    guests = Guests(script, tmp_path / "several")
    first = guests.start()
    second = guests.start(SNAPSHOT="1")
    assert "SNAPSHOT=1 " in second.wait_for(r"STATE=\S+", 10)
    assert first.folder != second.folder
    guests.close()
    assert "SNAPSHOT" not in first.console
    for guest in guests.all:
        with pytest.raises(ConsoleError, match="closed"):
            _ = guest.child


def test_waiting_is_bounded_by_its_seconds(tmp_path: Path) -> None:
    with machine(tmp_path, "exec sleep 60") as guest:
        start = time.monotonic()
        with pytest.raises(ConsoleError):
            guest.wait_for("nothing", 0.5)
        assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    "line",
    [
        "Starting sshd... FAIL",
        "rcS: failed: S40network (status 1)",
        "ifup: can't open '/run/ifstate': No such file or directory",
        "[    1.0] Kernel panic - not syncing: VFS",
        "[    1.0] WARNING: CPU: 0 PID: 1 at kernel/x.c:1",
        "[    1.0] EXT4-fs error (device vda)",
        "sh: ethtool: not found",
        "mount: permission denied",
    ],
)
def test_complaint_is_seen(line: str) -> None:
    assert complaints(f"before\n{line}\nafter") == [line]


@pytest.mark.parametrize(
    "line",
    [
        "udhcpc: lease of 192.168.31.100 obtained from 192.168.31.2, lease time 86400",
        "Starting sshd... OK",
        "[    0.1] rcu: Adjusting geometry for rcu_fanout_leaf=16, nr_cpu_ids=2",
        "[    1.0] printk: legacy console [ttyS0] enabled",
    ],
)
def test_ordinary_line_is_no_complaint(line: str) -> None:
    assert complaints(line) == []
