"""Builds on a real terminal: what the screen shows meanwhile, and what is left of it."""

from __future__ import annotations

import functools
import re
import shlex
import signal
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest
from sleepers import own, sleeping
from terminal_parts import Terminal
from waiting import within

import checkout
from incremental.pausing import PAUSE, go_on
from incremental.project import Project

TOTAL = re.compile(r"tiny, \d+:\d\d, .* in progress")
STEPS = re.compile(r"\w+ \w+ +(looking|fetch|unpack|prepare|build|install|split|make) +\d+:\d\d")


def sleeps(project: Project, name: str, seconds: float | str) -> None:
    """Have a package wait before it is built."""
    prepares(project, name, f'Run("sleep", "{seconds}")')


def prepares(project: Project, name: str, command: str) -> None:
    """Have a command run before a package is built."""
    step = f"prepare=({command},)"
    text = project.recipe(name).read_text()
    if "prepare=" in text:
        text = re.sub(r"prepare=\(Run\([^)]*\),\)", step, text)
    else:
        text = text.replace("import Install", "import Run, Install")
        text = text.replace('license="MIT",', f'license="MIT",\n    {step},')
    project.recipe(name).write_text(text)


def build(project: Project, *arguments: str, env: Mapping[str, str] | None = None) -> Terminal:
    words = project.command(*arguments)
    return Terminal(words, folder=project.folder, columns=100, env=env)


def in_work(terminal: Terminal, *names: str) -> bool:
    """Tell whether the view is there and shows these packages at their sleep."""
    rows = terminal.rows()
    there = [row.split()[0] for row in rows if re.search(r" prepare +\d+:\d\d", row)]
    return bool(rows and TOTAL.fullmatch(rows[-1]) and set(names) <= set(there))


def plain(lines: list[str]) -> list[str]:
    """Return lines without the times in them, sorted."""
    return sorted(re.sub(r"\d+\.\d (s|%)", r"N \1", line) for line in lines)


def test_the_view_is_there_while_something_is_made_and_leaves_a_line_per_package(
    greeting: Project,
) -> None:
    for name in ("alone", "greet"):
        prepares(greeting, name, PAUSE)
    terminal = build(greeting, "-j2")
    terminal.wait(lambda: in_work(terminal, "alone", "greet"))
    row = next(row for row in terminal.rows() if row.startswith("alone 1"))
    assert re.fullmatch(r"alone 1 +prepare +\d:\d\d +total \d:\d\d", row)
    go_on(greeting, "alone", "greet")
    assert terminal.end() == 0
    assert plain(terminal.all()) == [
        "alone 1: built in N s",
        "greet 1: built in N s",
        "hello 1: built in N s",
        "libc toolchain: built in N s",
        "tiny: 4 built, 3 image files made in N s, N % idle",
    ]
    assert not terminal.screen.cursor.hidden


def test_the_second_build_is_compared_with_the_first(greeting: Project) -> None:
    sleeps(greeting, "alone", 4)
    assert greeting.run("-j2").status == 0
    sleeps(greeting, "alone", 4.0)
    terminal = build(greeting, "-j2")
    terminal.wait(lambda: in_work(terminal, "alone"))
    row = next(row for row in terminal.rows() if row.startswith("alone 1"))
    assert re.match(r"alone 1 +prepare +0:0\d of 0:04 +total 0:0\d of 0:0\d  \|", row)
    assert re.fullmatch(
        r"tiny, 0:0\d, about 10 s left, 0 of 2 done, 1 in progress", terminal.rows()[-1]
    )
    assert terminal.end() == 0
    other = build(greeting, "-j3", "alone-rebuild")
    other.wait(lambda: in_work(other, "alone"))
    assert " of 0:" not in "".join(other.rows()), "with other jobs nothing takes as long"
    assert other.end() == 0


def test_errors_and_the_words_of_scons_stay_whole_above_the_view(greeting: Project) -> None:
    prepares(greeting, "alone", PAUSE)
    greeting.program("hello", "int main(void) { return }\n")
    terminal = build(greeting, "-j2", "-k", "sandbox.mode=none")
    terminal.wait(lambda: any("reason: build-failed" in row for row in terminal.all()))
    terminal.wait(lambda: in_work(terminal, "alone"))
    go_on(greeting, "alone")
    assert terminal.end() == 2
    lines = terminal.all()
    first = lines.index("error: hello 1: build failed")
    last = next(n for n in range(first, len(lines)) if lines[n].startswith("hint: "))
    block = lines[first : last + 1]
    assert any("--- last lines of the log" in line for line in block)
    assert any(line.startswith("reason: build-failed") for line in block)
    assert not any(STEPS.search(line) or TOTAL.search(line) for line in lines), lines
    assert any(line.startswith("scons: *** [") for line in lines)
    assert sum(line.startswith("warning: builds are not sealed") for line in lines) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_the_build_the_terminal_can_be_used(
    greeting: Project, number: signal.Signals
) -> None:
    seconds = f"{own(63)}{number.value}"
    sleeps(greeting, "alone", seconds)
    terminal = build(greeting, "-j2")
    before = termios.tcgetattr(terminal.child.child_fd)
    terminal.wait(lambda: in_work(terminal, "alone"))
    if number is signal.SIGINT:
        terminal.child.sendintr()
    else:
        terminal.child.kill(number)
    status = terminal.end()
    assert status == -number if number is signal.SIGKILL else status != 0
    assert not terminal.screen.cursor.hidden
    assert not re.search(rb"\x1b[^A-Za-z]*[hl]", terminal.raw), "no mode of it was changed"
    assert terminal.modes == before
    if number is not signal.SIGKILL:
        assert not any(STEPS.search(row) or TOTAL.search(row) for row in terminal.rows())
        assert "interrupted in" in terminal.rows()[-1]
    # The leash ends the commands of a build that is killed, after it.
    assert within(60 if number is signal.SIGKILL else 0, lambda: not sleeping(seconds))


def test_suspended_by_the_shell_it_leaves_the_terminal_and_comes_back(greeting: Project) -> None:
    seconds = own(64)
    sleeps(greeting, "alone", seconds)
    terminal = Terminal(
        ("bash", "--norc", "--noprofile", "-i"),
        folder=greeting.folder,
        columns=100,
        env={"PS1": "$ ", "PS0": "", "BASH_SILENCE_DEPRECATION_WARNING": "1"},
    )
    terminal.wait(lambda: terminal.rows()[-1:] == ["$"])
    terminal.child.sendline(shlex.join(greeting.command("-j2")))
    terminal.wait(lambda: in_work(terminal, "alone"))
    terminal.child.send("\x1a")
    terminal.wait(lambda: terminal.rows()[-1] == "$")
    assert any("Stopped" in row for row in terminal.rows())
    assert not any(STEPS.search(row) or TOTAL.search(row) for row in terminal.rows())
    before = len(terminal.raw)
    terminal.read(1.5)
    assert len(terminal.raw) == before
    terminal.child.sendline("bg")
    terminal.read(2.5)
    assert not any(TOTAL.search(row) for row in terminal.rows()), "the shell has the terminal"
    terminal.child.sendline("fg")
    terminal.wait(lambda: in_work(terminal, "alone"))
    terminal.child.sendintr()
    terminal.wait(lambda: terminal.rows()[-1] == "$")
    assert not any(STEPS.search(row) or TOTAL.search(row) for row in terminal.rows()[-3:])
    terminal.child.sendline("stty -a; exit 7")
    assert terminal.end() == 7
    assert " echo " in " ".join(terminal.rows()) and " icanon" in " ".join(terminal.rows())
    assert not sleeping(seconds)


def test_begun_in_the_background_it_prints_lines(greeting: Project) -> None:
    """timeout(1) makes itself a group of its own, which has not the terminal."""
    words = shlex.join(("timeout", "100", *greeting.command()))
    terminal = Terminal(("sh", "-c", f"{words}; exit $?"), folder=greeting.folder)
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.raw
    assert "alone 1: building" in terminal.rows()


def test_damaged_results_are_made_again_also_where_a_view_looks_ahead(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    for path in sorted((greeting.folder / "out/tiny/units").glob("*.json")):
        content = path.read_bytes()
        path.write_bytes(b'{"digest": 1}')
        terminal = build(greeting, "alone-rebuild")
        assert terminal.end() == 0, terminal.all()
        if path.exists():
            path.write_bytes(content)
    assert greeting.run().status == 0
    assert greeting.image() == before


def test_a_shell_has_the_terminal_to_itself(greeting: Project) -> None:
    """What it needs is built with a view before; not a byte of that comes afterwards."""
    prepares(greeting, "greet", PAUSE)
    terminal = build(greeting, "hello-shell")
    terminal.wait(lambda: in_work(terminal, "greet"))
    go_on(greeting, "greet")
    terminal.wait(lambda: re.match(r"hello \S*[$#]$", terminal.rows()[-1]))
    before = len(terminal.raw)
    terminal.read(2.5)
    assert len(terminal.raw) == before
    terminal.child.sendline("sleep 1.5; echo $((6 * 7))")
    terminal.wait(lambda: "42" in terminal.rows())
    assert b"\x1b[K" not in terminal.raw[before:] and b"\x1b[J" not in terminal.raw[before:]
    terminal.child.sendline("exit")
    assert terminal.end() == 0
    assert not any(STEPS.search(row) or TOTAL.search(row) for row in terminal.rows())


@pytest.mark.parametrize(
    ("arguments", "env"),
    [((), {"TERM": "dumb"}), ((), {"TERM": ""}), ((), {"CI": "true"}), (("-s",), {})],
    ids=["dumb", "no TERM", "CI", "silent"],
)
def test_where_no_view_is_wanted_a_terminal_gets_what_a_log_gets(
    greeting: Project, arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    terminal = build(greeting, *arguments, env=env)
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.raw
    assert ("alone 1: building" in terminal.all()) is not bool(arguments)
    assert any("built in" in line for line in terminal.all()) is not bool(arguments)


def test_a_log_has_no_escapes(greeting: Project, tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = shlex.join(greeting.command())
    terminal = Terminal(("sh", "-c", f"exec {words} >{log} 2>&1"), folder=greeting.folder)
    assert terminal.end() == 0
    assert terminal.raw == b""
    assert b"\x1b" not in log.read_bytes() and b"\r" not in log.read_bytes()
    assert "alone 1: building" in log.read_text().splitlines()


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"CLICOLOR": "0"}, False)],
)
def test_colours_are_left_out_where_they_are_not_wanted(
    greeting: Project, env: dict[str, str], coloured: bool
) -> None:
    prepares(greeting, "alone", PAUSE)
    terminal = build(greeting, env=env)
    terminal.wait(lambda: in_work(terminal, "alone"))
    go_on(greeting, "alone")
    assert terminal.end() == 0
    assert bool(re.search(rb"\x1b\[\d+m", terminal.raw)) is coloured


def test_nothing_to_do_shows_nothing_and_loads_nothing_of_what_works(greeting: Project) -> None:
    assert greeting.run().status == 0
    code = (
        "import atexit, sys; atexit.register(lambda: print('loaded', sorted(m for m in sys.modules"
        " if m == 'tqdm' or m in ('quard.face.live', 'quard.face.screen', 'quard.face.rows',"
        " 'quard.face.outlook', 'quard.project.outlook', 'quard.process.slots',"
        " 'quard.process.jobserver', 'quard.boards.launching', 'quard.boards.remote')"
        " or m.partition('.')[0] == 'SCons')))\n"
    )
    words = greeting.command()
    begin = words.index(checkout.start())
    python = (*words[:begin], code + words[begin], *words[begin + 1 :])
    terminal = Terminal(python, folder=greeting.folder)
    assert terminal.end() == 0
    assert terminal.rows() == ["tiny: everything is up to date", "loaded []"]
    assert b"\x1b" not in terminal.raw


def test_a_damaged_memory_of_times_costs_the_comparison_and_nothing_else(
    greeting: Project,
) -> None:
    greeting.run()
    prepares(greeting, "alone", PAUSE)
    memory = greeting.folder / "out/tiny/durations.json"
    for damage in (b"", b"[]", b"\xff", b'{"alone": [{"jobs": 2, "steps": 7}]}'):
        memory.write_bytes(damage)
        terminal = build(greeting, "alone-rebuild")
        terminal.wait(functools.partial(in_work, terminal, "alone"))
        assert " of 0:" not in "".join(terminal.rows())
        go_on(greeting, "alone")
        assert terminal.end() == 0
        assert b'"alone"' in memory.read_bytes()
