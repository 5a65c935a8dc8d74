"""CMake and Meson for real: compiled for the target or the build machine, with its needs alone."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pinned_tools
import pytest

from incremental.project import Project, Ran, ok
from quard.parts import elf

WORD_H = "const char *word(void);\n"
WORD_C = 'const char *word(void) { return "from the dependency"; }\n'
WORD_PC = """\
prefix=/usr
Name: word
Description: a word
Version: 1
Libs: -L${prefix}/lib -lword
Cflags: -I${prefix}/include
"""
HELLO_C = """\
#include <stdio.h>
#include <word.h>
#include "part.h"
#ifdef LOUD
#define MARK "!loud"
#else
#define MARK ".quiet"
#endif
int main(void) { return printf("%s %s %d\\n", word(), MARK, part()) < 0; }
"""
PART_C = '#include "part.h"\nint part(void) { return 1; }\n'
CMAKE = """\
cmake_minimum_required(VERSION 3.18)
project(hello C)
option(LOUD "a mark")
find_package(PkgConfig REQUIRED)
pkg_check_modules(WORD REQUIRED IMPORTED_TARGET word)
find_path(WORD_H word.h REQUIRED)
find_library(WORD_LIBRARY word REQUIRED)
find_library(MATH m REQUIRED)
find_library(OF_THE_MACHINE bz2)
if(CMAKE_CROSSCOMPILING AND OF_THE_MACHINE)
  message(FATAL_ERROR "sees ${OF_THE_MACHINE}")
endif()
find_program(NAMED NAMES perl REQUIRED)
find_program(NOT_NAMED NAMES elfedit)
if(NOT_NAMED)
  message(FATAL_ERROR "sees ${NOT_NAMED}")
endif()
add_library(part part.c)
add_executable(hello hello.c)
if(LOUD)
  target_compile_definitions(hello PRIVATE LOUD)
endif()
target_link_libraries(hello part PkgConfig::WORD)
include(GNUInstallDirs)
install(TARGETS hello part)
install(FILES hello.c DESTINATION ${CMAKE_INSTALL_SYSCONFDIR} RENAME hello.conf)
"""
MESON = """\
project('hello', 'c', version: '1')
word = dependency('word')
cc = meson.get_compiler('c')
cc.find_library('m')
if meson.is_cross_build()
  assert(not cc.find_library('bz2', required: false).found(), 'sees the machine')
endif
find_program('perl')
assert(not find_program('elfedit', required: false).found(), 'sees more than is named')
part = library('part', 'part.c', install: true)
flags = get_option('loud') ? ['-DLOUD'] : []
executable('hello', 'hello.c', c_args: flags, link_with: part, dependencies: word,
  install: true)
install_data('hello.c', install_dir: get_option('sysconfdir'), rename: 'hello.conf')
"""
RECIPE = """\
from quard.model import {style}, Feature, Source
RECIPE = {style}(
    summary="a program and a library",
    version="{{version}}",
    sources=[Source("{{url}}", sha256="{{sha256}}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    needs=["word"],
    features=[Feature("loud", summary="a mark", on=["{on}"], off=["{off}"])],
    {{more}}
)
"""


@dataclass(frozen=True)
class Kind:
    """A style: its name, the arguments of the feature, and the files of a source."""

    style: str
    on: str
    off: str
    files: Mapping[str, str]

    @property
    def recipe(self) -> str:
        return RECIPE.format(style=self.style, on=self.on, off=self.off)


COMMON = {"hello.c": HELLO_C, "part.c": PART_C, "part.h": "int part(void);\n"}
KINDS = (
    Kind("CMake", "-DLOUD=ON", "-DLOUD=OFF", {**COMMON, "CMakeLists.txt": CMAKE}),
    Kind(
        "Meson",
        "-Dloud=true",
        "-Dloud=false",
        {
            **COMMON,
            "meson.build": MESON,
            "meson_options.txt": "option('loud', type: 'boolean', value: false)\n",
        },
    ),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.style)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def project(tmp_path: Path, kind: Kind) -> Project:
    """A program and a library that need another package's library."""
    made = Project(tmp_path / "project")
    pinned_tools.give(made)
    made.library("word", WORD_C, WORD_H, files={"word.pc": WORD_PC})
    header = 'Install("word.h"'
    pc = 'Install("word.pc", "usr/lib/pkgconfig/word.pc"),'
    made.edit("packages/word/recipe.py", header, f"{pc}\n        {header}")
    made.package(kind.recipe, "hello", "1", kind.files)
    made.board(["libc", "hello"])
    return made


def run(project: Project, *words: str) -> Ran:
    return project.run(*words, *pinned_tools.WORDS)


def installed(project: Project, path: str) -> Path:
    """Return a file of the image."""
    folder = project.folder.parent / "root"
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        tar.extract(path, folder)
    return folder / path


def test_a_project_is_compiled_for_the_target_with_what_it_needs(project: Project) -> None:
    ok(run(project))
    program = elf.read(installed(project, "usr/bin/hello"))
    assert program.machine == elf.read(installed(project, "usr/lib/libword.so.1")).machine
    assert {"libpart.so", "libword.so.1"} <= {*program.needed}
    assert b".quiet" in installed(project, "usr/bin/hello").read_bytes()
    assert installed(project, "etc/hello.conf").read_text() == HELLO_C


def test_the_other_branch_of_a_feature_gives_another_program(project: Project) -> None:
    project.board(["libc", "hello"], "[features]\nhello.loud = true\n")
    ok(run(project))
    assert b"!loud" in installed(project, "usr/bin/hello").read_bytes()


def test_an_option_that_the_project_does_not_know_is_an_error(project: Project, kind: Kind) -> None:
    wrong = kind.on.replace("-D", "-DNOT_").replace("LOUD", "LUOD")
    project.edit("packages/hello/recipe.py", kind.off, wrong)
    ran = run(project, "hello")
    name = wrong[2:].partition("=")[0]
    assert ran.status
    assert "hello 1: the project does not know every option" in ran.text
    assert "reason: unknown-build-option" in ran.text
    assert any(line.strip().startswith(name) for line in ran.text.splitlines())


def for_the_build_machine(project: Project) -> None:
    """Let another package call the program in its build."""
    project.program("said", "int main(void) { return 0; }\n", more='natives=["hello"],')
    project.edit(
        "packages/said/recipe.py",
        "    finish=(",
        '    prepare=(Run("sh", "-c", "hello > said.txt"),),\n'
        '    finish=(\n        Install("said.txt", "etc/said.txt"),',
    )
    project.edit("packages/said/recipe.py", "import Install", "import Install, Run")
    project.board(["libc", "said"])


def test_a_program_for_the_build_machine_runs_in_another_build(project: Project) -> None:
    for_the_build_machine(project)
    ok(run(project))
    assert installed(project, "etc/said.txt").read_text() == "from the dependency .quiet 1\n"


def test_it_does_so_where_builds_are_not_sealed(project: Project, kind: Kind) -> None:
    """Then the packages that it needs are in other folders than those that it is configured for."""
    missing = [name for name in (kind.style.lower(), "ninja") if not shutil.which(name)]
    if missing:
        pytest.skip(f"the machine has no {' and no '.join(missing)}")
    for_the_build_machine(project)
    ok(project.run("sandbox.mode=none", "tools.root=machine"))
    assert installed(project, "etc/said.txt").read_text() == "from the dependency .quiet 1\n"


def test_a_changed_file_of_a_local_tree_is_compiled_alone(project: Project, kind: Kind) -> None:
    tree = project.folder.parent / "tree"
    tree.mkdir()
    for name, text in {"COPYING": "MIT\n", **kind.files}.items():
        (tree / name).write_text(text)
    words = (f"override.hello={tree}",)
    ok(run(project, *words))
    (tree / "part.c").write_text(PART_C.replace("1", "2"))
    ok(run(project, *words))
    log = (project.folder / "out/tiny/logs/hello.log").read_text()
    assert "update: continues in the folder of the last build" in log
    assert "part.c" in log
    assert "hello.c.o" not in log
