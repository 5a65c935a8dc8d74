"""quard.image.time64: which files call functions whose times end in 2038."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image import time64
from quard.image.content import Content
from quard.image.elf_content import opened_elf
from quard.image.rootfs import assemble
from quard.image.tree import Node, Origin, Tree
from quard.parts import elf
from quard.target import Target, with_musl

NARROW = dataclasses.replace(parts.RISCV, elf=dataclasses.replace(parts.RISCV.elf, bits=32))
LIBC = "usr/lib/libc.so.6"
LIBCS = Origin("package", "libc")
VERSIONS = "GLIBC_2.0 { global: time; ctime_r; stat; getpid; }; GLIBC_2.34 { global: *64*; };"
LIBC_C = """\
long time(void) { return 0; }
long __time64(void) { return 0; }
int ctime_r(void) { return 0; }
int __ctime64_r(void) { return 0; }
int stat(void) { return 0; }
int __stat64_time64(void) { return 0; }
int getpid(void) { return 0; }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C library, and what links it."""
    made = tmp_path_factory.mktemp("time")
    (made / "versions").write_text(VERSIONS)
    shared = ("-shared", "-fPIC", "-nostdlib", "-fno-builtin")
    script = f"-Wl,--version-script={made}/versions"
    parts.compile_c(made, "libc.so.6", LIBC_C, *shared, script, "-Wl,-soname,libc.so.6")
    link = (*shared, f"-L{made}", "-l:libc.so.6")
    for name, calls in (("short", "time ctime_r stat getpid"), ("long", "__time64 getpid")):
        code = "".join(f"int {call}(void);\n" for call in calls.split())
        code += f"int all(void) {{ return {' + '.join(f'{call}()' for call in calls.split())}; }}\n"
        parts.compile_c(made, name, code, *link)
    return made


def tree(folder: Path) -> Tree:
    """Return an image: a package with the C library, and one with the others."""
    made = Tree()
    for path, package in (
        ("usr/bin/short", "one"),
        ("usr/bin/long", "one"),
        (LIBC, "libc"),
        ("usr/lib/short", "libc"),
    ):
        data = (folder / Path(path).name).read_bytes()
        content = Content(len(data), data)
        made.add(path, Node("file", 0o755, content=content), Origin("package", package))
    made.nodes["lib"] = Node("link", 0o777, target="usr/lib")
    return made


def short(made: Tree, path: str, target: Target = NARROW) -> tuple[str, ...]:
    content = made.nodes[path].content
    assert content is not None
    with opened_elf(content) as view:
        return time64.Times(made, target).short(path, view)


def test_functions_that_the_c_library_also_has_for_64_bits_are_found(folder: Path) -> None:
    assert short(tree(folder), "usr/bin/short") == ("ctime_r", "stat", "time")


def test_a_file_that_calls_those_for_64_bits_is_right(folder: Path) -> None:
    assert short(tree(folder), "usr/bin/long") == ()


def test_libraries_of_the_c_librarys_own_package_may_have_both(folder: Path) -> None:
    assert short(tree(folder), "usr/lib/short") == ()


def test_where_every_time_has_64_bits_nothing_is_looked_for(folder: Path) -> None:
    musl = with_musl(NARROW, "/lib/ld-musl-riscv32.so.1")
    for target in (parts.RISCV, musl):
        assert short(tree(folder), "usr/bin/short", target) == ()


def test_an_image_without_a_c_library_has_nothing_to_look_for(folder: Path) -> None:
    made = tree(folder)
    del made.nodes[LIBC]
    assert short(made, "usr/bin/short") == ()


def test_an_image_with_such_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    """The compiler for RISC-V of 64 bits also writes programs of 32 bits, without a C library."""
    narrow = ("-march=rv32gc", "-mabi=ilp32d", "-shared", "-fPIC", "-nostdlib", "-fno-builtin")
    script = f"-Wl,--version-script={folder}/versions"
    soname = "-Wl,-soname,libc.so.6"
    libc = parts.compile_c(tmp_path, "libc.so.6", LIBC_C, *narrow, script, soname)
    code = "long time(void); long when(void) { return time(); }\n"
    link = (*narrow, f"-L{tmp_path}", "-l:libc.so.6")
    program = parts.compile_c(tmp_path, "when", code, *link)
    packages = {"libc": {LIBC: (libc, 0o755)}, "one": {"usr/bin/when": (program, 0o755)}}
    job = parts.spec(tmp_path, packages, target=NARROW)
    with pytest.raises(QuardError) as caught:
        assemble(job, tmp_path / "tar", tmp_path / "json")
    assert (caught.value.reason, caught.value.detail) == ("short-time", "it calls time")


STATIC = "void _start(void) { for (;;); }"


def test_a_static_program_is_told_since_it_does_not_show_what_it_calls(tmp_path: Path) -> None:
    narrow = ("-march=rv32gc", "-mabi=ilp32d", "-nostdlib")
    files = {
        name: (parts.compile_c(tmp_path, name, STATIC, *narrow, *flags), 0o755)
        for name, flags in {
            "static": ("-static",),
            "static-pie": ("-static-pie", "-fPIE", "-Wl,--no-dynamic-linker"),
            "library": ("-shared", "-fPIC"),
            "object": ("-c",),
        }.items()
    }
    packages = {"one": {f"usr/bin/{name}": file for name, file in files.items()}}
    job = parts.spec(tmp_path, packages, target=NARROW)
    made = assemble(job, tmp_path / "tar", tmp_path / "json")
    assert made.static == ("usr/bin/static", "usr/bin/static-pie")
    assert time64.note("usr/bin/static").startswith("note: /usr/bin/static is a static program")
    musl = dataclasses.replace(job, target=dataclasses.replace(NARROW, c_library="musl"))
    assert assemble(musl, tmp_path / "tar", tmp_path / "json").static == ()


def test_static_programs_of_the_c_librarys_own_package_are_not_told(folder: Path) -> None:
    made = tree(folder)
    data = (folder / "short").read_bytes()
    made.add("usr/sbin/ldconfig", Node("file", 0o755, content=Content(len(data), data)), LIBCS)
    times = time64.Times(made, NARROW)
    with opened_elf(Content(len(data), data)) as view:
        frame = dataclasses.replace(elf.frame(view), kind="exec", needed=())
    times.pass_over("usr/sbin/ldconfig", frame)
    assert times.static == []
    times.pass_over("usr/bin/short", frame)
    assert times.static == ["usr/bin/short"]


def test_the_error_names_the_functions(folder: Path) -> None:
    made = tree(folder)
    [error] = time64.errors(made, "usr/bin/short", ("ctime_r", "time"))
    assert (error.reason, error.detail) == ("short-time", "it calls ctime_r, time")
    assert str(error).startswith("/usr/bin/short of package one counts time with 32 bits")
    assert [*time64.errors(made, "usr/bin/short", ())] == []
