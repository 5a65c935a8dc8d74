"""A login on the console asks the terminal for its size, with bash and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from boot.guest import Guest

pytestmark = pytest.mark.boot
QUERY = r"\x1b\[999;999H\x1b\[6n\x1b8"
PROMPT = r"root@[^ ]*[#$] "


@pytest.fixture(params=["images", "small_images"])
def guest(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guest]:
    with Guest(request.getfixturevalue(request.param) / "run.sh", tmp_path) as guest:
        guest.boot()
        yield guest


def test_line_has_the_size_of_a_terminal_that_answers_at_each_login(guest: Guest) -> None:
    for rows, columns in ((50, 200), (24, 80)):
        guest.send("root")
        guest.wait_for(QUERY)
        guest.child.send(f"\x1b[{rows};{columns}R")
        text = guest.wait_for(PROMPT)
        assert f"{rows};{columns}" not in text
        guest.send("stty size")
        # bash has the terminal do something at each command, in front of its output.
        guest.wait_for(rf"[\r\n]{rows} {columns}\r*\n")
        guest.send("exit")
        guest.wait_for("login: ")


def test_terminal_that_is_silent_gets_its_prompt_all_the_same(guest: Guest) -> None:
    guest.send("root")
    guest.wait_for(QUERY)
    guest.wait_for(PROMPT)
    guest.send("echo typed-$((40 + 2))")
    guest.wait_for("typed-42")
