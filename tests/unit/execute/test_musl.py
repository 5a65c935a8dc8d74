"""The drivers for musl: the real compiler for glibc, with a C library that the test makes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import driver_parts
import pytest

from quard.base import canonical
from quard.base.programs import Programs
from quard.execute import drivers, sysroot
from quard.execute.toolchain import Toolchain, find
from quard.hardening import Hardening
from quard.parts import elf
from quard.plan.plan import EXECUTOR, Plan
from quard.process.sandbox import INSIDE, Work
from quard.process.system import MACHINE

GLIBC = "riscv64-linux-gnu"
MUSL = "riscv64-linux-musl"
PATH = os.environ["PATH"]
HARDENING = tuple(word for word in Hardening().built if not word.startswith("fortify"))
LIBC = "int puts(const char *s) { return *s; }\nvoid __stack_chk_fail(void) { for (;;); }\n"
GUARD = "unsigned long __stack_chk_guard;\n"
START = "int main(void);\nvoid _start(void) { main(); for (;;); }\n"
HELLO = '#include <stdio.h>\nint main(void) { return puts("hello"); }\n'


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    memory = Programs(tmp_path_factory.mktemp("toolchain") / "memory.json")
    return find(f"{GLIBC}-", None, PATH, memory)


@pytest.fixture
def work(tmp_path: Path, toolchain: Toolchain) -> Work:
    """A work folder whose sysroot has a C library. Its name has a space, as a checkout's may."""
    made = Work(tmp_path / "a work {folder}")
    made.make()
    sysroot.tools(made, (), PATH, str(made.root), MACHINE)
    drivers.write_drivers(made, toolchain, planned(), str(made.root))
    lib, include = made.sysroot / "usr/lib", made.sysroot / "usr/include"
    for folder in (lib, include):
        folder.mkdir(parents=True)
    (include / "stdio.h").write_text("int puts(const char *);\n")
    for name, text in (("libc.c", LIBC + GUARD), ("start.c", START), ("none.c", "")):
        (made.src / name).write_text(text)
    free = ("-ffreestanding", "-fPIC", "-nostdlib")
    build(made, *free, "-shared", "libc.c", "-o", str(lib / "libc.so"))
    build(made, *free, "-c", "libc.c", "-o", str(made.src / "libc.o"))
    archive = (str(made.tools / f"{MUSL}-ar"), "rcs", str(lib / "libc.a"), "libc.o")
    subprocess.run(archive, cwd=made.src, check=True)
    for name in ("crt1.o", "Scrt1.o", "rcrt1.o"):
        build(made, *free, "-c", "start.c", "-o", str(lib / name))
    for name in ("crti.o", "crtn.o"):
        build(made, *free, "-c", "none.c", "-o", str(lib / name))
    (made.src / "hello.c").write_text(HELLO)
    return made


def planned() -> Plan:
    return Plan(name="thing", version="1.0", triple=MUSL, hardening=HARDENING)


def driver(work: Work, *arguments: str, name: str = "gcc") -> subprocess.CompletedProcess[str]:
    return driver_parts.run(work, f"{MUSL}-{name}", *arguments)


def build(work: Work, *arguments: str) -> None:
    """Run the driver, which has to succeed without a word."""
    done = driver(work, *arguments)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def made(work: Work, *arguments: str) -> elf.Elf:
    build(work, "-O2", *arguments, "hello.c", "-o", "hello")
    return elf.read(work.src / "hello")


def test_a_program_has_musls_loader_and_library_and_every_defence(work: Work) -> None:
    hello = made(work)
    assert (hello.interp, hello.needed) == ("/lib/ld-musl-riscv64.so.1", ("libc.so",))
    assert (hello.kind, hello.bind_now) == ("dyn", True)


@pytest.mark.parametrize("option", ["-pthread", "-lm -no-pie", "-rdynamic", "-static-libgcc"])
def test_options_bring_no_library_of_the_compiler(work: Work, option: str) -> None:
    for name in ("pthread", "m"):
        archive = str(work.sysroot / f"usr/lib/lib{name}.a")
        subprocess.run((str(work.tools / f"{MUSL}-ar"), "rc", archive), check=True)
    assert made(work, *option.split()).needed == ("libc.so",)


def test_a_static_program_starts_with_musls_file_and_has_no_loader(work: Work) -> None:
    hello = made(work, "-static")
    assert (hello.kind, hello.interp, hello.needed) == ("dyn", None, ())
    assert "rcrt1.o" in driver(work, "-static", "-###", "hello.c").stderr
    fixed = made(work, "-static", "-no-pie")
    assert (fixed.kind, fixed.interp) == ("exec", None)


@pytest.mark.parametrize("library", ["atomic", "gcc_s", "gcc_eh", "anl", "stdc++"])
def test_libraries_that_need_glibc_are_not_found(work: Work, library: str) -> None:
    done = driver(work, "hello.c", f"-l{library}", "-o", "hello")
    assert done.returncode != 0
    assert f"cannot find -l{library}" in done.stderr


def test_functions_of_the_compiler_are_linked(work: Work) -> None:
    (work.src / "hello.c").write_text(
        "long double f(long double x) { return x / 3; }\nint main(void) { return (int) f(6); }\n"
    )
    for option in ("-O2", "-static", "-lgcc"):
        made(work, option)


@pytest.mark.parametrize("header", ["gnu/libc-version.h", "linux/version.h", "features.h"])
def test_headers_of_the_toolchain_are_not_seen(work: Work, header: str) -> None:
    (work.src / "hello.c").write_text(f"#include <{header}>\n")
    done = driver(work, "-c", "hello.c")
    assert done.returncode != 0
    assert f"{header}: No such file" in done.stderr


def test_headers_of_the_compiler_and_those_in_the_sysroot_are_seen(work: Work) -> None:
    (work.src / "hello.c").write_text("#include <stdarg.h>\n#include <stdint.h>\nva_list x;\n")
    (work.sysroot / "usr/include/stdint.h").write_text("#error that of musl\n")
    assert "#error that of musl" in driver(work, "-c", "hello.c").stderr


def test_code_that_names_its_headers_itself_gets_no_others(work: Work) -> None:
    assert "no include path" in driver(work, "-nostdinc", "-c", "hello.c").stderr


def test_the_preprocessor_and_assembler_files_see_the_same(work: Work) -> None:
    assert "int puts" in driver(work, "hello.c", name="cpp").stdout
    (work.src / "start.S").write_text("#include <stdio.h>\n")
    assert "int puts" in driver(work, "-E", "start.S").stdout


@pytest.mark.parametrize("arguments", [("--version",), ("-c", "x.cc"), ()])
def test_the_compiler_for_cxx_says_that_it_cannot_work(
    work: Work, arguments: tuple[str, ...]
) -> None:
    done = driver(work, *arguments, name="g++")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "riscv64-linux-musl-g++: cannot compile C++ for musl\n"


GIVEN = (2, "46cd504a7586d07847480591b007e2b1dade7221cf4afee29e1826a02cfe609b")
"""The executor's version, and the digest of what the drivers give the compiler."""


class Described(Toolchain):
    """A toolchain whose compiler is not there to be asked."""

    def library(self, name: str) -> Path:
        return Path("/opt/x/lib") / name


def test_what_the_drivers_give_has_another_version_when_it_changes(tmp_path: Path) -> None:
    """It is in no plan: raise EXECUTOR in quard.plan.plan whenever this digest changes."""
    work = Work(tmp_path / "work")
    work.make()
    described = Described("x-", {"gcc": Path("/opt/x/bin/x-gcc")}, None, None, "12", "f" * 64)
    drivers.write_drivers(work, described, planned(), INSIDE)
    texts = [(work.tools / name).read_text() for name in ("lib/driver.specs", f"{MUSL}-g++")]
    assert (EXECUTOR, canonical.digest(texts)) == GIVEN
