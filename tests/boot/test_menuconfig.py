"""Upstream's own editors, opened on a terminal and steered by keys: linux's and busybox's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from boot.conftest import BOARD, TOP
from checkout import cache_folder, link, scons
from quard.interactive.terminfo import find, folders

pytestmark = pytest.mark.boot

UNPACKING_SECONDS = 600
SECONDS = 180
NEXT_BUTTON = "\t"
ENTER = "\r"
QUESTION = "Do you wish to save your new"
QUIET = 1.0
"""Seconds without output after which a screen counts as drawn."""
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0-9A-Z]|\x1b[=>]|[\x0e\x0f]")
"""What switches colours and moves the cursor, in the middle of words as well."""


class Checkout:
    """A checkout whose boards are its own; the cache is the user's, where the sources are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.editors: list[pexpect.spawn[str]] = []
        link(folder)
        for path in (TOP / "configs").iterdir():
            if path.name != BOARD:  # what somebody keeps in this checkout is not the test's
                (folder / "configs" / path.name).symlink_to(path)

    def command(self, target: str) -> list[str]:
        return scons(f"BOARD={BOARD}", target, f"cache.dir={cache_folder()}")

    def kept(self, name: str) -> list[str]:
        """Return the lines of the kept fragment without its first, none if there is no file."""
        path = self.folder / "configs" / BOARD / f"{name}.fragment"
        return path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []

    def ask(self, target: str) -> str:
        done = subprocess.run(
            self.command(target),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return done.stdout


class Editor:
    """A package's menuconfig on a terminal of 80 x 24."""

    def __init__(self, checkout: Checkout, name: str, kind: str) -> None:
        command, *arguments = checkout.command(f"{name}-menuconfig")
        self.child = pexpect.spawn(
            command,
            arguments,
            cwd=str(checkout.folder),
            env={**os.environ, "TERM": kind},
            encoding="utf-8",
            codec_errors="replace",
            timeout=SECONDS,
            dimensions=(24, 80),
        )
        checkout.editors.append(self.child)
        self.before = termios.tcgetattr(self.child.child_fd)

    def wait(self, text: str, seconds: float = SECONDS) -> None:
        """Wait until a text has been drawn, and then until nothing more is drawn.

        An editor throws away what is typed before it has drawn itself.
        """
        drawn, limit = "", time.monotonic() + seconds
        while time.monotonic() < limit:
            try:
                drawn += self.child.read_nonblocking(4096, timeout=QUIET)
            except pexpect.TIMEOUT:
                if text in CONTROLS.sub("", drawn):
                    return
            except pexpect.EOF:
                break
        raise AssertionError(f"no {text!r} within {seconds} s; drawn: {CONTROLS.sub('', drawn)!r}")

    def press(self, keys: str) -> None:
        for key in keys:
            self.child.send(key)

    def leave(self, answer: str) -> tuple[int | None, str]:
        """Leave the menu that is open and the one above it, and answer whether to save."""
        self.press(NEXT_BUTTON + ENTER)
        self.wait("Help")
        self.press(NEXT_BUTTON + ENTER)
        self.wait(QUESTION)
        self.press(answer)
        return self.end()

    def end(self) -> tuple[int | None, str]:
        """Return the exit status and what was printed after the editor."""
        self.child.expect(pexpect.EOF, timeout=SECONDS)
        modes = termios.tcgetattr(self.child.child_fd)
        self.child.close()
        assert modes == self.before
        return self.child.exitstatus, str(self.child.before).replace("\r\n", "\n")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """One for all tests: the kernel takes long to unpack, and fills more than a gigabyte."""
    made = Checkout(tmp_path_factory.mktemp("menuconfig") / "checkout")
    yield made
    shutil.rmtree(made.folder / "out")


@pytest.fixture
def checkout(unpacked: Checkout) -> Iterator[Checkout]:
    """A checkout; the editors that a failed test has left open on it end with the test."""
    yield unpacked
    for editor in unpacked.editors:
        editor.close(force=True)


def test_busyboxs_editor_keeps_one_option_and_takes_it_back(checkout: Checkout) -> None:
    editor = Editor(checkout, "busybox", "linux")
    editor.wait("Applets", UNPACKING_SECONDS)
    editor.press(ENTER)
    editor.wait("Provide compatible behavior for rare corner cases")
    editor.press("py")
    status, text = editor.leave(ENTER)
    assert status == 0, text
    assert "busybox: 1 symbol changed\n EXTRA_COMPAT n -> y\n" in text
    assert checkout.kept("busybox") == ["CONFIG_EXTRA_COMPAT=y"]
    assert checkout.ask("busybox-diffconfig") == " EXTRA_COMPAT n -> y\n"

    editor = Editor(checkout, "busybox", "xterm")
    editor.wait("Applets")
    editor.press(ENTER)
    editor.wait("Provide compatible behavior for rare corner cases")
    editor.press("pn")
    status, text = editor.leave(ENTER)
    assert status == 0, text
    assert checkout.kept("busybox") == []
    assert checkout.ask("busybox-diffconfig") == ""


@pytest.fixture
def pinned(checkout: Checkout) -> None:
    """Skip where this machine cannot use the pinned tools."""
    checkout.ask("zlib")
    decided = checkout.folder / "out" / BOARD / "tools.json"
    found = json.loads(decided.read_text(encoding="utf-8"))
    if not found["pinned"]:
        pytest.skip(found["why"])


@pytest.fixture
def undescribed(monkeypatch: pytest.MonkeyPatch) -> str:
    """A terminal that the pinned packages know and this machine does not."""
    for name in ("TERMINFO", "TERMINFO_DIRS"):
        monkeypatch.delenv(name, raising=False)
    kind = "alacritty"
    if find(kind, folders({}, Path.home())) is not None:
        pytest.skip(f"this machine has a description of {kind}")
    return kind


@pytest.mark.usefixtures("pinned")
def test_an_editor_of_the_pinned_tools_works_on_a_terminal_that_only_they_know(
    checkout: Checkout, undescribed: str
) -> None:
    editor = Editor(checkout, "busybox", undescribed)
    editor.wait("Applets", UNPACKING_SECONDS)
    editor.press(ENTER)
    editor.wait("Provide compatible behavior for rare corner cases")
    editor.press("py")
    status, text = editor.leave(ENTER)
    assert status == 0, text
    assert "busybox: 1 symbol changed\n EXTRA_COMPAT n -> y\n" in text
    assert checkout.kept("busybox") == ["CONFIG_EXTRA_COMPAT=y"]
    (checkout.folder / "configs" / BOARD / "busybox.fragment").unlink()


@pytest.mark.usefixtures("pinned")
def test_a_shell_edits_lines_on_a_terminal_that_only_the_pinned_tools_know(
    checkout: Checkout, undescribed: str
) -> None:
    command, *arguments = checkout.command("zlib-shell")
    child = pexpect.spawn(
        command,
        arguments,
        cwd=str(checkout.folder),
        env={**os.environ, "TERM": undescribed},
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(24, 80),
    )
    checkout.editors.append(child)
    child.expect(r"zlib \S*[$#] ")
    child.sendcontrol("l")  # draws the line again at the top of a cleared screen
    child.expect_exact("\x1b[H\x1b[2J")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_linuxs_editor_keeps_one_option_and_cancelled_nothing(checkout: Checkout) -> None:
    editor = Editor(checkout, "linux", "xterm")
    editor.wait("General setup", UNPACKING_SECONDS)
    editor.press(ENTER)
    editor.wait("Compile the kernel with warnings as errors")
    editor.press("cy")
    status, text = editor.leave(ENTER)
    assert status == 0, text
    assert " WERROR n -> y\n" in text
    assert "linux: configs/quard-star/linux.fragment now has 1 line\n" in text
    assert checkout.kept("linux") == ["CONFIG_WERROR=y"]

    editor = Editor(checkout, "linux", "linux")
    editor.wait("General setup")
    editor.press(ENTER)
    editor.wait("Compile the kernel with warnings as errors")
    editor.press("cn")
    status, text = editor.leave(NEXT_BUTTON + ENTER)
    assert status == 0, text
    assert "linux: nothing was changed" in text
    assert checkout.kept("linux") == ["CONFIG_WERROR=y"]


@pytest.mark.parametrize("name", ["busybox", "linux"])
def test_ctrl_c_leaves_the_editor_the_terminal_and_the_board_as_they_were(
    checkout: Checkout, name: str
) -> None:
    """linux's editor asks whether to save what was changed; here nothing was."""
    kept = checkout.kept(name)
    editor = Editor(checkout, name, "xterm")
    editor.wait("Help", UNPACKING_SECONDS)
    editor.child.sendintr()
    status, text = editor.end()
    assert status == 2
    assert "error: interrupted; nothing was changed\nreason: interrupted\n" in text
    assert checkout.kept(name) == kept
