"""NAME-menuconfig, -savedefconfig and -diffconfig, from the terminal to the next build's image."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import termios
from pathlib import Path

import pexpect
import pytest
from waiting import within

from incremental.menu import FEATURE, KCONFIG, menu
from incremental.project import Project

HEAD = "# menu on tiny: `./scons BOARD=tiny menu-menuconfig` overwrites this file.\n"
KEPT = "configs/tiny/menu.fragment"
PROMPT = "the menu> "
SECONDS = 60


@pytest.fixture
def tiny(greeting: Project) -> Project:
    """Programs, a library, and a package with a menu; all of it built."""
    menu(greeting)
    greeting.board(["alone", "hello", "libc", "menu"])
    ran = greeting.run()
    assert ran.status == 0, ran.text
    return greeting


class Terminal:
    """SCons on a terminal of its own."""

    def __init__(self, project: Project, *arguments: str, kind: str = "xterm") -> None:
        program, *words = project.command(*arguments)
        self.child = pexpect.spawn(
            program,
            words,
            cwd=str(project.folder),
            env={**os.environ, "TERM": kind},
            encoding="utf-8",
            timeout=SECONDS,
            dimensions=(24, 200),
        )

    def type(self, *lines: str) -> None:
        """Wait for the editor's prompt, then type a line; and so on."""
        for line in lines:
            self.child.expect_exact(PROMPT)
            self.child.sendline(line)

    def end(self) -> tuple[int | None, str]:
        """Return the exit status and what was printed since the last prompt."""
        self.child.expect(pexpect.EOF)
        text = str(self.child.before).replace("\r\n", "\n")
        self.child.close()
        return self.child.exitstatus, text

    @property
    def modes(self) -> list[int | list[bytes | int]]:
        return termios.tcgetattr(self.child.child_fd)


def edit(project: Project, *lines: str) -> str:
    """Edit the configuration on a terminal; return what was said afterwards."""
    terminal = Terminal(project, "menu-menuconfig")
    terminal.type(*lines)
    status, text = terminal.end()
    assert status == 0, text
    return text


def kept(project: Project) -> str | None:
    path = project.folder / KEPT
    return path.read_text() if path.exists() else None


def config(project: Project, place: str = "configure") -> Path:
    return project.folder / f"out/tiny/{place}/menu/src/.config"


def test_an_edit_is_kept_as_its_one_line_and_the_next_build_has_it(tiny: Project) -> None:
    text = edit(tiny, "set DEBUG y", "save", "quit")
    assert kept(tiny) == f"{HEAD}CONFIG_DEBUG=y\n"
    assert re.findall(r"^[ +-][A-Z].*$", text, re.MULTILINE) == [
        " DEBUG n -> y",
        "+LEVEL 3",
        "+TRACE n",
    ]
    assert f"menu: {KEPT} now has 1 line" in text
    assert "the next build rebuilds menu and the images" in text
    ran = tiny.run()
    assert ran.built == ["menu"], ran.text
    assert ran.summary["built"][0]["why"][0] == f"file {KEPT} added"
    assert (tiny.folder / "out/tiny/work/menu/src/config.h").read_text().splitlines() == [
        '#define CONFIG_NET "y"',
        '#define CONFIG_INET "y"',
        '#define CONFIG_IPV6 "y"',
        '#define CONFIG_DEBUG "y"',
        '#define CONFIG_LEVEL "3"',
    ]
    assert tiny.run().built == []


def test_taking_an_edit_back_takes_the_file_away(tiny: Project) -> None:
    before = tiny.image()
    edit(tiny, "set DEBUG y", "save", "quit")
    tiny.run()
    text = edit(tiny, "set DEBUG n", "save", "quit")
    assert f"menu: {KEPT} was removed: nothing differs from the recipe" in text
    assert not (tiny.folder / "configs/tiny").exists()
    ran = tiny.run()
    assert (ran.built, ran.summary["restored"]) == ([], ["menu"])
    assert tiny.image() == before


def test_edits_add_up_and_the_file_of_another_package_stays(tiny: Project) -> None:
    edit(tiny, "set IPV6 n", "save", "quit")
    edit(tiny, "set DEBUG y", "set LEVEL 7", "save", "quit")
    assert kept(tiny) == (f"{HEAD}CONFIG_DEBUG=y\n# CONFIG_IPV6 is not set\nCONFIG_LEVEL=7\n")


def test_an_edit_that_is_not_saved_changes_nothing(tiny: Project) -> None:
    summary = (tiny.folder / "out/tiny/summary.json").read_bytes()
    text = edit(tiny, "set DEBUG y", "quit")
    assert "menu: nothing was changed" in text
    assert kept(tiny) is None
    assert tiny.run("menu-diffconfig").out == ""
    assert (tiny.folder / "out/tiny/summary.json").read_bytes() == summary
    assert tiny.run().built == []


def test_ctrl_c_in_the_editor_changes_nothing_and_leaves_the_terminal_sane(tiny: Project) -> None:
    terminal = Terminal(tiny, "menu-menuconfig")
    before = terminal.modes
    terminal.type("set DEBUG y")
    terminal.child.expect_exact(PROMPT)
    assert terminal.modes != before
    terminal.child.sendintr()
    terminal.child.expect_exact("error: interrupted; nothing was changed")
    terminal.child.expect_exact("reason: interrupted")
    assert terminal.modes == before
    assert terminal.end()[0] == 2
    assert kept(tiny) is None
    assert tiny.run().built == []


def test_an_editor_that_fails_is_told_in_one_block(tiny: Project) -> None:
    terminal = Terminal(tiny, "menu-menuconfig")
    terminal.type("set DEBUG y", "fail")
    status, text = terminal.end()
    assert status == 2
    assert "reason: menuconfig-failed" in text
    assert kept(tiny) is None


def test_without_a_terminal_nothing_is_begun(tiny: Project) -> None:
    ran = tiny.run("menu-menuconfig")
    assert ran.status == 2
    assert ran.err.count("reason:") == 1 and "reason: no-terminal" in ran.err
    assert not (tiny.folder / "out/tiny/configure").exists()
    status, text = Terminal(tiny, "menu-menuconfig", kind="dumb").end()
    assert status == 2
    assert "reason: no-terminal" in text


@pytest.mark.parametrize("verb", ["menuconfig", "savedefconfig", "diffconfig"])
def test_a_package_without_kconfig_is_refused_with_those_that_have_it(
    tiny: Project, verb: str
) -> None:
    status, text = Terminal(tiny, f"alone-{verb}").end()
    assert status == 2
    assert text.startswith("error: alone is not configured by Kconfig\n  on this board: menu\n")
    assert text.count("reason:") == 1 and "reason: not-kconfig" in text


def test_a_config_edited_by_hand_is_kept_and_what_did_not_survive_is_named(tiny: Project) -> None:
    assert tiny.run("menu-diffconfig").status == 0
    with config(tiny).open("a") as file:
        file.write("CONFIG_DEBUG=y\nCONFIG_NOWHERE=y\n")
    ran = tiny.run("menu-savedefconfig")
    assert ran.status == 0, ran.text
    assert kept(tiny) == f"{HEAD}CONFIG_DEBUG=y\n"
    assert (
        "warning: menu: CONFIG_NOWHERE=y was edited but is not in the result;"
        " found: # CONFIG_NOWHERE is not set" in ran.out
    )
    again = tiny.run("menu-savedefconfig")
    assert "menu: no symbols changed" in again.out and f"{KEPT} is unchanged" in again.out
    assert "warning" not in again.out


def test_a_kept_line_that_a_new_release_lost_is_named_and_goes(tiny: Project) -> None:
    edit(tiny, "set DEBUG y", "set LEVEL 7", "save", "quit")
    menu(tiny, version="2", kconfig=KCONFIG.replace("LEVEL 3 DEBUG\n", ""))
    failed = tiny.run()
    assert failed.status == 2 and "reason: kconfig-line-vanished" in failed.err
    ran = tiny.run("menu-savedefconfig")
    assert ran.status == 0, ran.text
    assert f"warning: menu: CONFIG_LEVEL=7 of {KEPT} is not in the result" in ran.out
    assert kept(tiny) == f"{HEAD}CONFIG_DEBUG=y\n"
    assert tiny.run().built == ["menu"]


def test_an_edit_by_hand_outlives_a_new_release(tiny: Project) -> None:
    tiny.run("menu-diffconfig")
    with config(tiny).open("a") as file:
        file.write("CONFIG_DEBUG=y\n")
    menu(tiny, version="2")
    assert tiny.run("menu-diffconfig").out.splitlines()[0] == " DEBUG n -> y"
    assert "CONFIG_DEBUG=y" in config(tiny).read_text()
    tiny.run("menu-savedefconfig")
    assert kept(tiny) == f"{HEAD}CONFIG_DEBUG=y\n"


def test_menuconfig_goes_on_from_an_edit_by_hand_and_leaves_it_if_nothing_is_saved(
    tiny: Project,
) -> None:
    tiny.run("menu-diffconfig")
    by_hand = config(tiny).read_text() + "CONFIG_DEBUG=y\n"
    config(tiny).write_text(by_hand)
    text = edit(tiny, "quit")
    assert "menu: out/tiny/configure/menu/src/.config was edited;" in text
    assert "./scons menu-savedefconfig saves the changes" in text
    assert config(tiny).read_text() == by_hand
    edit(tiny, "set IPV6 n", "save", "quit")
    assert kept(tiny) == f"{HEAD}CONFIG_DEBUG=y\n# CONFIG_IPV6 is not set\n"


def test_diffconfig_shows_what_is_kept_and_what_is_edited_and_builds_nothing(
    tiny: Project,
) -> None:
    edit(tiny, "set DEBUG y", "save", "quit")
    summary = (tiny.folder / "out/tiny/summary.json").read_bytes()
    ran = tiny.run("menu-diffconfig")
    assert (ran.status, ran.out) == (0, " DEBUG n -> y\n+LEVEL 3\n+TRACE n\n")
    text = config(tiny).read_text()
    config(tiny).write_text(text.replace("CONFIG_INET=y", "CONFIG_INET=n"))
    ran = tiny.run("menu-diffconfig", "FORMAT=json")
    assert json.loads(ran.out) == {
        "name": "menu",
        "changes": [
            {"symbol": "DEBUG", "old": "n", "new": "y"},
            {"symbol": "INET", "old": "y", "new": "n"},
            {"symbol": "LEVEL", "old": None, "new": "3"},
            {"symbol": "TRACE", "old": None, "new": "n"},
        ],
    }
    assert "CONFIG_INET=n" in config(tiny).read_text()
    assert (tiny.folder / "out/tiny/summary.json").read_bytes() == summary
    assert kept(tiny) == f"{HEAD}CONFIG_DEBUG=y\n"


def test_diffconfig_of_an_unbuilt_board_builds_nothing(greeting: Project) -> None:
    menu(greeting, more='needs=("greet",),')
    greeting.board(["libc", "menu"])
    ran = greeting.run("menu-diffconfig")
    assert ran.status == 2
    assert "reason: not-built" in ran.err and "hint: ./scons greet" in ran.err
    assert not (greeting.folder / "out/tiny/units").exists()
    saved = greeting.run("menu-savedefconfig")
    assert saved.status == 0, saved.text
    assert saved.built == ["greet"]
    assert greeting.run("menu-diffconfig").status == 0


def test_the_kept_fragment_is_laid_over_the_boards_others(tiny: Project) -> None:
    (tiny.folder / "own.fragment").write_text("CONFIG_DEBUG=y\nCONFIG_LEVEL=5\n")
    tiny.board(["libc", "menu"], more='[fragments]\nmenu = ["own.fragment"]')
    assert tiny.run().built == ["menu"]
    edit(tiny, "set LEVEL 6", "save", "quit")
    assert kept(tiny) == f"{HEAD}CONFIG_LEVEL=6\n"
    assert tiny.run().built == ["menu"]
    assert "CONFIG_LEVEL=6\n" in config(tiny, "work").read_text()


def test_what_a_feature_sets_cannot_be_edited_and_is_told(greeting: Project) -> None:
    menu(greeting, more=FEATURE)
    greeting.board(["libc", "menu"], more="[features]\nmenu.trace = true")
    text = edit(greeting, "set TRACE n", "set IPV6 n", "save", "quit")
    assert (
        "warning: menu: # CONFIG_TRACE is not set was edited but is not in the result;"
        " found: CONFIG_TRACE=y, because a feature sets it" in text
    )
    assert kept(greeting) == f"{HEAD}# CONFIG_IPV6 is not set\n"
    assert greeting.run().status == 0


def killed_while_trying(project: Project) -> None:
    """Kill savedefconfig, with all it has started, in the middle of its trials."""
    slow = (project.folder / "out/tiny/configure/menu/src/Makefile").read_text()
    makefile = project.folder / "out/tiny/configure/menu/src/Makefile"
    makefile.write_text(slow.replace("\techo refreshed", "\ttouch trying; sleep 5"))
    running = subprocess.Popen(
        project.command("menu-savedefconfig"),
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    trying = makefile.with_name("trying")
    assert within(SECONDS, lambda: trying.exists() or running.poll() is not None)
    assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    makefile.write_text(slow)


def test_an_edit_by_hand_survives_a_kill_in_the_middle_of_the_trials(tiny: Project) -> None:
    tiny.run("menu-diffconfig")
    with config(tiny).open("a") as file:
        file.write("CONFIG_DEBUG=y\n")
    killed_while_trying(tiny)
    assert kept(tiny) is None
    ran = tiny.run("menu-savedefconfig")
    assert ran.status == 0, ran.text
    assert kept(tiny) == f"{HEAD}CONFIG_DEBUG=y\n"
    assert not list((tiny.folder / "out/tiny/configure").glob("*.edited"))
    assert not [p for p in (tiny.folder / "configs").rglob("*") if p.name.endswith(".part")]


def test_what_was_edited_in_the_shell_is_kept(tiny: Project) -> None:
    printed = tiny.in_shell("menu", "grep DEBUG .config; echo CONFIG_DEBUG=y >>.config\n")
    assert "# CONFIG_DEBUG is not set\n" in printed
    assert " DEBUG n -> y\n" in tiny.run("menu-diffconfig").out
    assert "CONFIG_DEBUG=y" not in config(tiny).read_text()
    text = edit(tiny, "quit")
    assert "menu: out/tiny/shell/menu/src/.config was edited;" in text
    ran = tiny.run("menu-savedefconfig")
    assert ran.status == 0, ran.text
    assert kept(tiny) == f"{HEAD}CONFIG_DEBUG=y\n"
    assert "menu: no symbols changed" in tiny.run("menu-savedefconfig").out


def test_two_different_edits_are_refused_until_one_goes(tiny: Project) -> None:
    tiny.run("menu-diffconfig")
    tiny.in_shell("menu", "echo CONFIG_DEBUG=y >>.config\n")
    with config(tiny).open("a") as file:
        file.write("CONFIG_IPV6=n\n")
    ran = tiny.run("menu-savedefconfig")
    assert ran.status == 2
    assert "reason: two-edits" in ran.err
    assert "  out/tiny/configure/menu/src/.config\n  out/tiny/shell/menu/src/.config\n" in ran.err
    config(tiny, "shell").unlink()
    assert tiny.run("menu-savedefconfig").status == 0
    assert kept(tiny) == f"{HEAD}# CONFIG_IPV6 is not set\n"


def test_unsealed_it_works_the_same(greeting: Project) -> None:
    menu(greeting)
    greeting.board(["libc", "menu"])
    terminal = Terminal(greeting, "menu-menuconfig", "sandbox.mode=none")
    terminal.type("set DEBUG y", "save", "quit")
    status, text = terminal.end()
    assert status == 0, text
    assert kept(greeting) == f"{HEAD}CONFIG_DEBUG=y\n"


@pytest.mark.parametrize(("file", "reason"), [("alone", "bad-board"), ("alnoe", "unknown-package")])
def test_a_kept_fragment_that_no_build_looks_at_is_refused(
    tiny: Project, file: str, reason: str
) -> None:
    (tiny.folder / "configs/tiny").mkdir()
    (tiny.folder / f"configs/tiny/{file}.fragment").write_text("CONFIG_X=y\n")
    ran = tiny.run()
    assert ran.status == 2
    assert f"reason: {reason}" in ran.err and file in ran.err
