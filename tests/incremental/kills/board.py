"""The board that is killed: small packages of every kind, in two states."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Literal

import checkout
from incremental.project import PROGRAM, Project, Ran

State = Literal["a", "b"]
STATES: tuple[State, ...] = ("a", "b")
VALUE: dict[State, int] = {"a": 1, "b": 2}
UNITS = 4
"""Files of the slow package; each takes the cross compiler half a second or more."""

GREET_H = "int greet(void);\n"
GREET_C = '#include "greet.h"\nint greet(void) {{ return {value}; }}\n'
GREET_MAKE = """\
libgreet.so.1: greet.o words.o
\t$(CC) $(CFLAGS) -shared -Wl,-soname,libgreet.so.1 -o $@ greet.o words.o
%.o: %.c greet.h
\t$(CC) $(CFLAGS) -fPIC -c -o $@ $<
"""
HELLO_C = "#include <greet.h>\nint main(void) {{ return greet() - {value}; }}\n"
SLOW_MAKE = """\
slow: $(patsubst %.c,%.o,$(sort $(wildcard *.c)))
\t$(CC) $(CFLAGS) -o $@ $^
%.o: %.c
\t$(CC) $(CFLAGS) -c -o $@ $<
"""
CONF_MAKE = """\
allnoconfig:
\t@printf '%s\\n' '# CONFIG_VALUE is not set' '# CONFIG_WIDE is not set' > .config
olddefconfig:
\t@sort -o .config .config
conf: conf.o words.o
\t$(CC) $(CFLAGS) -o $@ conf.o words.o
conf.bin: conf
\tcp conf conf.bin
conf.o: conf.c .config
\t$(CC) $(CFLAGS) -DVALUE=$$(sed -n 's/CONFIG_VALUE=//p' .config) -c -o $@ conf.c
words.o: words.c
\t$(CC) $(CFLAGS) -c -o $@ words.c
"""
CONF_RECIPE = """\
from quard.model import Install, Kconfig, Source
RECIPE = Kconfig(
    summary="a program that is configured like a kernel",
    version="1",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=("COPYING",),
    variables=("CC={{cross}}gcc",),
    fragments=("conf.fragment",),
    make=("conf", "conf.bin"),
    finish=(
        Install("conf", "usr/bin/conf", mode="0755"),
        Install("conf.bin", "boot/conf.bin"),
    ),
)
"""
FRAGMENT = "CONFIG_VALUE={value}\nCONFIG_WIDE=y\n"


class Board:
    """A project whose packages come from archives, a kept Kconfig folder and a local tree."""

    def __init__(self, folder: Path, units: int = UNITS) -> None:
        self._units = units
        self.project = Project(folder / "project")
        self.tree = folder / "greet-checkout"
        self._make_once()
        self.state: State = "a"
        self.set("a")

    @property
    def arguments(self) -> tuple[str, ...]:
        """What is given to SCons besides the name of the board."""
        return (f"override.greet={self.tree}",)

    @property
    def out(self) -> Path:
        return self.project.folder / "out"

    @property
    def store(self) -> Path:
        return self.project.cache / "store"

    def run(self, *arguments: str) -> Ran:
        """Run SCons to its end."""
        return self.project.run(*self.arguments, "-j2", *arguments)

    def start(self, *arguments: str, output: int, terminal: Sequence[str] = ()) -> Popen[bytes]:
        """Start SCons as ./scons does.

        output   -- descriptor for all that it prints
        terminal -- command that makes standard input its terminal
        """
        project = self.project
        # As there, Ctrl-C is ignored until Python has begun with the code.
        deaf = (*terminal, "sh", "-c", "trap '' INT; exec \"$@\"", "sh")
        scons = checkout.scons("-j2", "BOARD=tiny")
        return Popen(
            (*deaf, *scons, f"cache.dir={project.cache}", *self.arguments, *arguments),
            cwd=project.folder,
            stdin=output if terminal else DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "TERM": "xterm"},
        )

    def ask(self, *arguments: str) -> Ran:
        """Run SCons for an answer; it leaves the summary of the last build as it is."""
        with tempfile.TemporaryFile() as file:
            status = self.start(*arguments, output=file.fileno()).wait()
            file.seek(0)
            return Ran(status, file.read().decode(errors="replace"), "", {})

    def turn(self) -> None:
        """Bring the inputs into the other state."""
        self.set("b" if self.state == "a" else "a")

    def set(self, state: State) -> None:
        """Bring every kind of input into one of its two states."""
        self.state = state
        value, project = VALUE[state], self.project
        (self.tree / "greet.c").write_text(GREET_C.format(value=value))
        project.program("hello", HELLO_C.format(value=value), "-lgreet", more='needs=("greet",),')
        slow = {f"unit{n}.c": _unit(n) for n in range(self._units)}
        main = f"int main(void) {{ return {value}; }}\n"
        version = str(value)
        files = {"Makefile": SLOW_MAKE, "main.c": main, **slow}
        project.package(PROGRAM, "slow", version, files, "")
        (project.folder / "packages/conf/conf.fragment").write_text(FRAGMENT.format(value=value))
        (project.folder / "rootfs/etc/motd").write_text(f"hello {value}\n")

    def _make_once(self) -> None:
        project = self.project
        self.tree.mkdir()
        (self.tree / "COPYING").write_text("MIT\n")
        (self.tree / "Makefile").write_text(GREET_MAKE)
        (self.tree / "greet.h").write_text(GREET_H)
        (self.tree / "words.c").write_text(_unit(100))
        project.library("greet", GREET_C.format(value=0), GREET_H)
        conf = "int words(void);\nint main(void) { return VALUE; }\n"
        files = {"Makefile": CONF_MAKE, "conf.c": conf, "words.c": _unit(101)}
        url, sha256 = project.archive("conf", "1", files)
        (project.folder / "packages/conf").mkdir()
        project.recipe("conf").write_text(CONF_RECIPE.format(url=url, sha256=sha256))
        project.board(["conf", "hello", "libc", "slow"], formats='"ext4", "squashfs"')


def _unit(number: int) -> str:
    """Return C code that keeps the compiler busy for a while."""
    functions = [
        f"int f{number}_{i}(int *a, int n) {{ int s = {i}; for (int j = 0; j < n; j++)"
        f" {{ s += a[j] * {i + 1}; a[j] ^= s; if (s > {i * 7}) s -= a[(j + {i}) % n]; }}"
        " return s; }\n"
        for i in range(60)
    ]
    return "".join(functions)
