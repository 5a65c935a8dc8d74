"""Terminals: what the guest knows of them, and how programs are linked with ncurses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import installed
from boot.conftest import BOARD, TOP
from boot.guest import Guest
from quard.parts import elf
from quard.store import blob

pytestmark = pytest.mark.boot
TERMINALS = (
    *("alacritty", "ansi", "dumb", "foot", "linux", "rxvt", "rxvt-256color"),
    *("rxvt-unicode-256color", "screen", "screen-256color", "st-256color", "tmux"),
    *("tmux-256color", "vt100", "vt102", "vt220", "xterm", "xterm-256color", "xterm-color"),
    *("xterm-ghostty", "xterm-kitty"),
)
PROGRAM = """\
#include <curses.h>
#include <term.h>
int main(void)
{
    int status;
    initscr();
    mvaddstr(0, 0, tgetent(0, "xterm") == 1 ? "yes" : "no");
    endwin();
    return setupterm(0, 1, &status);
}
"""


def test_terminals_that_people_log_in_from_are_known(guest: Guest) -> None:
    names = " ".join(TERMINALS)
    assert (
        guest.check(f"for name in {names}; do infocmp $name >/dev/null || echo $name; done") == ""
    )


def test_a_terminal_is_described_as_it_is(guest: Guest) -> None:
    said = guest.check("for name in vt100 linux xterm-256color; do tput -T $name colors; done")
    assert said.split() == ["-1", "8", "256"]
    assert guest.check("tput -T xterm cup 3 7 | tr '\\033' E") == "E[4;8H"


def test_logins_count_characters_and_not_bytes(guest: Guest) -> None:
    two = r"\303\244\303\266"
    said = guest.check(f"""bash -lc 'x=$(printf "{two}"); echo $LANG ${{#x}}'""")
    assert said == "C.UTF-8 2"


@pytest.fixture(scope="module")
def sysroot(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a package that needs ncurses sees of it."""
    del images
    if os.environ.get("QUARD_TEST_IMAGES"):
        pytest.skip("the images were given: what packages have installed is not known")
    folder = tmp_path_factory.mktemp("sysroot")
    part = installed.part(TOP / "out" / BOARD / "units", "ncurses", "dev", installed.stores(TOP))
    assert part
    blob.extract(part, folder, part.name)
    return folder


@pytest.mark.parametrize("name", ["curses", "ncurses", "ncursesw", "tinfo"])
def test_programs_get_the_wide_library_by_every_name(
    sysroot: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "thing.c").write_text(PROGRAM)
    folders = (f"-I{sysroot}/usr/include", f"-L{sysroot}/usr/lib")
    command = ("riscv64-linux-gnu-gcc", *folders, "thing.c", f"-l{name}", "-o", "thing")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "libncursesw.so.6" in elf.read(tmp_path / "thing").needed


@pytest.mark.parametrize("name", ["ncurses", "ncursesw", "tinfo", "form", "menu", "panel"])
def test_pkg_config_knows_both_names(sysroot: Path, name: str) -> None:
    done = subprocess.run(
        ("pkg-config", "--libs", name),
        env={"PATH": os.environ["PATH"], "PKG_CONFIG_LIBDIR": f"{sysroot}/usr/lib/pkgconfig"},
        capture_output=True,
        text=True,
        check=True,
    )
    library = "ncurses" if name == "tinfo" else name.removesuffix("w")
    assert done.stdout.split() == [f"-l{library}w"]
