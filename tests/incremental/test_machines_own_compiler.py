"""A target of the build machine's own kind: nothing of the machine's comes into its programs."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pinned_tools
import pytest

from incremental.project import Project, Ran, ok
from quard.boards import native
from quard.parts import elf

TRIPLE = native.triple(os.uname().machine)
MINE_C = "int mine(void) { return 0; }\n"
MINE_H = "int mine(void);\n"
CALLS_C = "#include <crypt.h>\nint main(void) { return mine(); }\n"
THROWS_CC = """\
#include <stdexcept>
#include <string>
int main(int count, char **)
{
    try {
        throw std::runtime_error(std::to_string(count));
    } catch (const std::exception &) {
        return 0;
    }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    pinned_tools.give(made)
    return made


def board(project: Project, *packages: str) -> None:
    project.board(["libc", *packages])
    project.edit("configs/tiny.toml", "riscv64-linux-gnu", TRIPLE)


def run(project: Project, *words: str) -> Ran:
    return project.run(*words, *pinned_tools.WORDS)


def test_headers_and_libraries_of_the_machine_are_not_found(project: Project) -> None:
    """The tools that every build sees have libcrypt and its header, for programs of their own."""
    header = "$(CC) -E -include crypt.h -x c /dev/null -o header.i"
    library = "$(CC) hello.c -lcrypt -o linked"
    by_linker = "$(CC) -c hello.c -o hello.o && $(LD) hello.o -lcrypt -o linked"
    present = "gcc -E -include crypt.h -x c /dev/null -o host.i && gcc hello.c -lcrypt -o host"
    makefile = f"hello: hello.c\n\t{present}\n"
    for name, command in (("header", header), ("library", library), ("linker", by_linker)):
        makefile += f"\t! ({command}) 2>{name} || {{ echo the {name} was found; exit 1; }}\n"
    makefile += "\tgrep -q 'crypt.h: No such file' header\n"
    makefile += "\tgrep -q 'cannot find -lcrypt' library\n\tgrep -q 'cannot find -lcrypt' linker\n"
    makefile += "\t$(CC) $(CFLAGS) -o $@ hello.c\n"
    project.program("hello", "int main(void) { return 0; }\n")
    project.source("hello", {"Makefile": makefile, "hello.c": "int main(void) { return 0; }\n"})
    project.edit("packages/hello/recipe.py", '{cross}gcc"', '{cross}gcc", "LD={cross}ld"')
    board(project, "hello")
    ok(run(project))


def test_a_library_of_a_needed_package_is_linked_not_the_machines_of_that_name(
    project: Project,
) -> None:
    project.library("crypt", MINE_C, MINE_H)
    project.program("calls", CALLS_C, "-lcrypt", more='needs=["crypt"],')
    board(project, "calls", "crypt")
    ok(run(project))


def test_cxx_programs_get_the_libraries_of_the_compiler(project: Project, tmp_path: Path) -> None:
    libraries = '"libc.so.6", "libgcc_s.so.1", "libm.so.6", "libstdc++.so.6"'
    project.edit("packages/libc/recipe.py", '"libc.so.6"', libraries)
    project.program("throws", "", "")
    makefile = "throws: throws.cc\n\t$(CC) $(CXXFLAGS) -o $@ throws.cc\n"
    project.source("throws", {"Makefile": makefile, "throws.cc": THROWS_CC})
    project.edit("packages/throws/recipe.py", "{cross}gcc", "{cross}g++")
    board(project, "throws")
    ok(run(project))
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        tar.extract("usr/bin/throws", tmp_path)
    program = elf.read(tmp_path / "usr/bin/throws")
    assert {"libstdc++.so.6", "libc.so.6"} <= {*program.needed}
