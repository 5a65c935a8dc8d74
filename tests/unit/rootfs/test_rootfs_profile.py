"""/etc/profile: a login on the console asks the terminal for its size, and nobody else does."""

from __future__ import annotations

import re
import time

import pytest
from guestroot import Guest
from pexpect.fdpexpect import fdspawn

QUERY = r"\x1b\[999;999H\x1b\[6n\x1b8"
LOGIN = ("/bin/sh", "-l", "-i")
CONSOLE = "/dev/console"
PROMPT = r"[#$] "
NO_SIZE = "stty: standard input"
"""What busybox says of a terminal without a size."""
MOMENT = "-t 0.5 "
"""How long the answer is waited for, in the script."""


@pytest.fixture
def patient(guest: Guest) -> Guest:
    """A guest that waits longer, since the answer of a busy machine comes late."""
    text = guest.read("etc/profile")
    assert text.count(MOMENT) == 1
    guest.write("etc/profile", text.replace(MOMENT, "-t 20 "))
    return guest


def size(terminal: fdspawn[str]) -> str:
    """Return what `stty size` says at the prompt: "ROWS COLUMNS", or why it has none."""
    terminal.send("stty size; echo end-$((1 + 1))\n")
    terminal.expect(r"\)\)\r\n([^\r\n]*)\r\nend-2")
    assert isinstance(terminal.match, re.Match)
    return str(terminal.match[1])


def asked(terminal: fdspawn[str]) -> bool:
    """Return whether the terminal is asked for its size before there is a prompt."""
    return bool(terminal.expect([QUERY, PROMPT]) == 0)


@pytest.mark.parametrize("device", [CONSOLE, "/dev/ttyS0", "/dev/ttyAMA0", "/dev/hvc0"])
def test_terminal_that_answers_gives_the_line_its_size(patient: Guest, device: str) -> None:
    with patient.on_terminal(device, *LOGIN) as terminal:
        assert asked(terminal)
        terminal.send("\x1b[50;200R")
        assert size(terminal) == "50 200"


def test_answer_is_not_seen_by_whoever_logs_in(patient: Guest) -> None:
    with patient.on_terminal(CONSOLE, *LOGIN) as terminal:
        assert asked(terminal)
        time.sleep(0.1)
        terminal.send("\x1b[50;200R")
        terminal.expect(PROMPT)
        assert "200" not in str(terminal.before)
        assert size(terminal) == "50 200"


def test_answer_that_comes_in_pieces_is_taken(patient: Guest) -> None:
    with patient.on_terminal(CONSOLE, *LOGIN) as terminal:
        assert asked(terminal)
        for piece in ("\x1b", "[5", "0;", "200", "R"):
            terminal.send(piece)
            time.sleep(0.03)
        assert size(terminal) == "50 200"


def test_terminal_that_is_silent_delays_the_prompt_for_a_moment_and_changes_nothing(
    guest: Guest,
) -> None:
    with guest.on_terminal(CONSOLE, *LOGIN) as terminal:
        assert asked(terminal)
        terminal.expect(PROMPT)
        assert size(terminal) == NO_SIZE


@pytest.mark.parametrize(
    "answer", ["\x1b[;200R", "\x1b[50R", "\x1b[1;2;3R", "\x1b[5x;9R", "R", "xyzR"]
)
def test_answer_that_is_none_changes_nothing(patient: Guest, answer: str) -> None:
    with patient.on_terminal(CONSOLE, *LOGIN) as terminal:
        assert asked(terminal)
        terminal.send(answer)
        assert size(terminal) == NO_SIZE


def test_what_was_typed_ahead_is_run_and_not_taken_for_an_answer(guest: Guest) -> None:
    start = "until read -r -t 0 _; do :; done; exec sh -l -i"
    with guest.on_terminal(CONSOLE, "/bin/sh", "-c", start) as terminal:
        terminal.send("echo typed-$((20 + 22))\n")
        terminal.expect("typed-42")
        assert "\x1b[6n" not in str(terminal.before)


@pytest.mark.parametrize("device", ["/dev/tty1", "/dev/pts7"])
def test_terminal_that_knows_its_size_is_not_asked(guest: Guest, device: str) -> None:
    with guest.on_terminal(device, *LOGIN) as terminal:
        assert not asked(terminal)


def test_login_over_ssh_asks_nothing(guest: Guest) -> None:
    guest.env["SSH_CONNECTION"] = "192.168.31.2 4000 192.168.31.100 22"
    with guest.on_terminal(CONSOLE, *LOGIN) as terminal:
        assert not asked(terminal)


def test_shell_that_is_not_typed_at_asks_nothing(guest: Guest) -> None:
    with guest.on_terminal(CONSOLE, "/bin/sh", "-l", "-c", "echo ran; sleep 1") as terminal:
        terminal.expect("ran")
        assert "\x1b" not in str(terminal.before)


def test_nothing_of_it_stays_in_the_shell(guest: Guest) -> None:
    done = guest.shell(". /etc/profile; set; type size_console")
    assert "size_asked" not in done.out and "answer=" not in done.out
    assert "not found" in done.out
