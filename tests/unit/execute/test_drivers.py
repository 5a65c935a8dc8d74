"""The compiler's drivers at work: the real cross compiler builds and links in a work folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from quard.execute import elf, sysroot
from quard.execute.sandbox import Work
from quard.execute.toolchain import Toolchain, find

TRIPLE = "riscv64-linux-gnu"


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    memory = tmp_path_factory.mktemp("toolchain") / "memory.json"
    return find(f"{TRIPLE}-", None, os.environ["PATH"], memory)


@pytest.fixture
def work(tmp_path: Path, toolchain: Toolchain) -> Work:
    made = Work(tmp_path / "a work {folder}")
    made.make()
    sysroot.tools(made, toolchain, TRIPLE, (), os.environ["PATH"], "thing-1.0", str(made.root))
    (made.sysroot / "usr/lib").mkdir(parents=True)
    return made


def driver(work: Work, *arguments: str, name: str = "gcc") -> subprocess.CompletedProcess[str]:
    """Run the driver in the source folder, with what a sealed build's environment has."""
    return subprocess.run(
        (str(work.tools / f"{TRIPLE}-{name}"), *arguments),
        cwd=work.src,
        env={"PATH": str(work.tools), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )


def build(work: Work, *arguments: str, name: str = "gcc") -> None:
    """Run the driver, which has to do it without a word."""
    done = driver(work, *arguments, name=name)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def library(work: Work, name: str, text: str, *arguments: str, compiler: str = "gcc") -> None:
    """Put a library libNAME.so with its SONAME libNAME.so.1 into the sysroot."""
    source = f"{name}.c" if compiler == "gcc" else f"{name}.cc"
    (work.src / source).write_text(text)
    made = work.sysroot / f"usr/lib/lib{name}.so.1"
    shared = ("-shared", "-fPIC", "-O1", f"-Wl,-soname,lib{name}.so.1", "-o", str(made))
    build(work, *shared, source, *arguments, name=compiler)
    made.with_suffix("").symlink_to(made.name)


ROOT = "#include <math.h>\ndouble root(double x) { return cbrt(x); }\n"
MAIN = "double root(double); int main(void) { return (int) root(27); }\n"


def test_a_program_links_a_library_that_needs_one_of_the_toolchain(work: Work) -> None:
    library(work, "root", ROOT, "-lm")
    assert "libm.so.6" in elf.read(work.sysroot / "usr/lib/libroot.so.1").needed
    (work.src / "main.c").write_text(MAIN)
    build(work, "-O1", "main.c", "-lroot", "-o", "main")
    program = elf.read(work.src / "main")
    assert program.needed == ("libroot.so.1", "libc.so.6")
    assert (program.rpath, program.runpath) == (None, None)


def test_it_links_a_library_that_needs_another_one_of_the_sysroot(work: Work) -> None:
    library(work, "root", ROOT, "-lm")
    library(
        work, "twice", "double root(double); double twice(double x){return 2*root(x);}", "-lroot"
    )
    (work.src / "main.c").write_text("double twice(double); int main(void) { return twice(8); }\n")
    build(work, "-O1", "main.c", "-ltwice", "-o", "main")
    assert elf.read(work.src / "main").needed == ("libtwice.so.1", "libc.so.6")


def test_a_c_program_links_a_cxx_library(work: Work, toolchain: Toolchain) -> None:
    if "g++" not in toolchain.commands:
        pytest.skip("the toolchain has no C++ compiler (Debian: g++-riscv64-linux-gnu)")
    text = (
        '#include <string>\nextern "C" int size(const char *s) { return std::string(s).size(); }\n'
    )
    library(work, "size", text, compiler="g++")
    assert "libstdc++.so.6" in elf.read(work.sysroot / "usr/lib/libsize.so.1").needed
    (work.src / "main.c").write_text('int size(const char *); int main(void){return size("x");}\n')
    build(work, "-O1", "main.c", "-lsize", "-o", "main")
    program = elf.read(work.src / "main")
    assert program.needed == ("libsize.so.1", "libc.so.6")
    assert (program.rpath, program.runpath) == (None, None)


QUESTIONS = ["-v", "--version", "-dumpmachine", "-dumpspecs", "-print-search-dirs", "--help"]


@pytest.mark.parametrize("name", ["gcc", "cpp"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_without_a_link(work: Work, name: str, question: str) -> None:
    """As configure scripts ask first of all, to see whether there is a compiler."""
    if (name, question) == ("cpp", "-v"):
        pytest.skip("it reads standard input then")
    done = driver(work, question, name=name)
    assert done.returncode == 0, done.stderr
    assert "undefined reference" not in done.stderr


@pytest.mark.parametrize("how", ["-c", "-S", "-E", "-r", "-fsyntax-only"])
def test_what_does_not_link_a_program_is_left_in_peace(work: Work, how: str) -> None:
    (work.src / "main.c").write_text(MAIN)
    output = () if how == "-fsyntax-only" else ("-o", "out")
    build(work, "-Wall", "-Werror", how, "main.c", *output)


def test_what_is_really_missing_is_still_an_error(work: Work) -> None:
    library(work, "root", ROOT, "-lm")
    library(
        work, "twice", "double root(double); double twice(double x){return 2*root(x);}", "-lroot"
    )
    (work.sysroot / "usr/lib/libroot.so.1").unlink()
    (work.src / "main.c").write_text("double twice(double); int main(void) { return twice(8); }\n")
    done = driver(work, "-O1", "main.c", "-ltwice", "-o", "main")
    assert done.returncode == 1
    assert "libroot.so.1, needed by" in done.stderr
