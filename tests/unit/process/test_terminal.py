"""The terminal after a command that had it: as it was before, whatever the command did."""

from __future__ import annotations

import signal
import sys
import termios
from pathlib import Path

import pexpect

from quard.process import terminal

TOP = Path(__file__).resolve().parents[3]
SECONDS = 30
LENDS = """\
import os, signal, subprocess, sys
from quard.process import terminal
with terminal.lent():
    status = subprocess.run(terminal.heeding(sys.argv[1:])).returncode
mine = os.tcgetpgrp(0) == os.getpgrp()
print("ended", status, mine, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def lend(*command: str) -> pexpect.spawn[str]:
    """Lend a terminal to a command, and say afterwards whose it is."""
    return pexpect.spawn(
        sys.executable,
        ["-c", LENDS, *command],
        env={"PYTHONPATH": str(TOP / "site_scons"), "PATH": "/usr/bin:/bin", "TERM": "dumb"},
        encoding="utf-8",
        timeout=SECONDS,
    )


def test_a_command_that_is_killed_in_raw_mode_leaves_the_terminal_as_it_was() -> None:
    child = lend("sh", "-c", "stty raw -echo; echo raw; read -r x; kill -9 $$")
    before = termios.tcgetattr(child.child_fd)
    child.expect("raw")
    assert termios.tcgetattr(child.child_fd) != before
    child.sendline("go")
    child.expect("ended -9 True True")
    assert termios.tcgetattr(child.child_fd) == before


def test_a_command_with_a_group_of_its_own_gives_the_terminal_back() -> None:
    child = lend("bash", "--norc", "--noprofile", "-i")
    child.expect("[$#] ")
    child.sendline("kill -9 $$")
    child.expect("ended -9 True True")
    child.expect(pexpect.EOF)


def test_ctrl_c_is_the_commands_to_answer() -> None:
    child = lend("sh", "-c", "trap 'echo heard; exit 5' INT; echo ready; while :; do sleep 1; done")
    child.expect("ready")
    child.sendintr()
    child.expect("heard")
    child.expect("ended 5 True True")


def test_ctrl_c_ends_a_command_that_does_not_care() -> None:
    child = lend("sh", "-c", "echo ready; exec sleep 1000")
    child.expect("ready")
    child.sendintr()
    child.expect("ended -2 True True")


def test_without_a_terminal_only_the_signal_is_looked_after() -> None:
    before = signal.getsignal(signal.SIGINT)
    with terminal.lent():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is before
