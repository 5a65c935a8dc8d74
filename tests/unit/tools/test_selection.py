"""quard.tools.selection: the systems of one target's builds and programs, made of real packages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from deb_parts import deb, file
from root_parts import Here
from tool_parts import NAMES

from quard.process.system import System
from quard.tools.lock import Lock, LockedPackage
from quard.tools.roots import Roots
from quard.tools.selection import Selection

TRIPLE = "riscv64-linux-gnu"


class Tools:
    """A lock with one package for each purpose, and where roots are made of them."""

    def __init__(self, here: Here) -> None:
        self.here = here
        self.packages = {
            name: self.add(name, path, *needs)
            for name, path, *needs in (
                ("make", "usr/bin/make"),
                ("gcc", "usr/bin/gcc", "make"),
                ("ncurses", "usr/include/curses.h"),
                ("descriptions", "usr/share/terminfo/x/xterm"),
                ("bison", "usr/bin/bison"),
                ("qemu", "usr/bin/qemu", "libc"),
                ("gdb", "usr/bin/gdb", "libc"),
                ("libc", "usr/lib/libc.so"),
            )
        }
        self.names = replace(
            NAMES,
            common=("make",),
            targets={TRIPLE: ("gcc",)},
            menuconfig=("ncurses",),
            terminals=("descriptions",),
            further=("bison",),
            machine=("qemu",),
            debug=("gdb",),
        )

    def add(self, name: str, path: str, *needs: str) -> LockedPackage:
        package = self.here.mirror.add(name, deb(file(path, name.encode(), 0o755)))
        commands = (name,) if path.startswith("usr/bin/") else ()
        return replace(package, needs=needs, commands=commands)

    def of(self, roots: Roots) -> Selection:
        lock = Lock(release="one", machine="amd64", packages=self.packages)
        return Selection(lock, self.names, TRIPLE, roots)

    @property
    def offline(self) -> Selection:
        """The tools of a later run without a network."""

        def refuse(package: LockedPackage) -> Path:
            raise AssertionError(f"{package.name} is not here")

        return self.of(Roots(self.here.cache, refuse, self.here.said.append, self.here.stop))


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(Here(tmp_path))


def test_a_build_needs_neither_the_debugger_nor_the_editor(tools: Tools) -> None:
    tools.of(tools.here.roots).provide()
    assert sorted(tools.here.mirror.fetched) == ["gcc", "libc", "make", "qemu"]
    assert (tools.offline.system(()).folder / "usr/bin/gcc").exists()
    assert tools.offline.start_tool("qemu")


LATER: dict[str, Callable[[Selection], System | tuple[str, ...]]] = {
    "build": lambda tools: tools.system(()),
    "build with another tool": lambda tools: tools.system(("bison",)),
    "editor": lambda tools: tools.editor(()),
    "program": lambda tools: tools.start_tool("qemu"),
    "terminals": lambda tools: tools.terminals(),
    "debugger": lambda tools: tools.start_tool("gdb"),
}


@pytest.mark.parametrize("what", LATER)
def test_what_was_provided_needs_no_network_later(tools: Tools, what: str) -> None:
    online = tools.of(tools.here.roots)
    online.provide()
    online.system(("bison",))
    online.editor(())
    online.terminals()
    online.provide_debugger()
    assert LATER[what](tools.offline)


def test_what_is_damaged_is_provided_again(tools: Tools) -> None:
    tools.of(tools.here.roots).provide()
    for program in tools.here.cache.glob("*/*/usr/bin/*"):
        program.unlink()
    again = tools.of(tools.here.again())
    again.provide()
    assert (again.system(()).folder / "usr/bin/gcc").exists()
    assert again.start_tool("qemu")
    damaged = [line for line in tools.here.said if "is damaged and made again" in line]
    assert len(damaged) == 2
