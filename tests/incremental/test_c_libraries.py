"""A target with musl: what is compiled needs the C library's package, which here is a tiny one."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from incremental.project import Project, ok
from quard.parts import elf

LOADER = "ld-musl-riscv64.so.1"
LIBC_C = "int puts(const char *s) { return *s + %d; }\nint putchar(int c) { return c; }\n"
STDIO_H = "int puts(const char *);\n"
START_C = "int main(void);\nvoid _start(void) { main(); for (;;); }\n"
HELLO_C = '#include <stdio.h>\nint main(void) { return puts("hello"); }\n'
MUSL = """\
from quard.model import Install, Make, Source, Symlink
RECIPE = Make(
    summary="a C library",
    version="1",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    c_library="musl",
    variables=("CC={{cross}}gcc",),
    make=("libc.so", "crt1.o", "empty.o"),
    finish=(
        Install("libc.so", "usr/lib/libc.so", mode="0755"),
        Symlink("usr/lib/ld-musl-riscv64.so.1", "libc.so"),
        Install("stdio.h", "usr/include/stdio.h"),
        Install("crt1.o", "usr/lib/crt1.o"),
        Install("crt1.o", "usr/lib/rcrt1.o"),
        Install("crt1.o", "usr/lib/Scrt1.o"),
        Install("empty.o", "usr/lib/crti.o"),
        Install("empty.o", "usr/lib/crtn.o"),
    ),
)
"""
MAKEFILE = """\
libc.so: c.c
\t$(CC) $(CFLAGS) -ffreestanding -fPIC -shared -nostdlib -o $@ $<
%.o: %.c
\t$(CC) $(CFLAGS) -ffreestanding -fPIC -c -o $@ $<
"""
FIRMWARES = """\
[[unhardened]]
path = "/usr/bin/firmware"
lacks = ["pie", "relro", "bind_now"]
reason = "firmware"
"""
FIRMWARE = 'freestanding="it runs without a C library",'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A program with musl, and firmware, whose program needs no C library."""
    made = Project(tmp_path / "project")
    musl(made)
    made.program("hello", HELLO_C)
    made.program(
        "firmware",
        "void _start(void) { for (;;); }\n",
        "-nostdlib -static -Wl,--build-id=none",
        more=FIRMWARE,
    )
    board(made, "firmware", "hello", "musl")
    return made


def musl(project: Project, more: int = 0, header: str = STDIO_H) -> None:
    files = {
        "Makefile": MAKEFILE,
        "c.c": LIBC_C % more,
        "crt1.c": START_C,
        "empty.c": "",
        "stdio.h": header,
    }
    url, sha256 = project.archive("musl", "1", files)
    folder = project.folder / "packages/musl"
    folder.mkdir(exist_ok=True)
    (folder / "recipe.py").write_text(MUSL.format(url=url, sha256=sha256))


def board(project: Project, *packages: str, target: str = "riscv64-linux-musl") -> None:
    project.board([*packages], FIRMWARES if "firmware" in packages else "")
    project.edit("configs/tiny.toml", "riscv64-linux-gnu", target)


def installed(project: Project, path: str, folder: Path) -> elf.Elf:
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        data = tar.extractfile(path)
        assert data is not None
        (folder / "file").write_bytes(data.read())
    return elf.read(folder / "file")


def test_programs_have_the_loader_and_the_library_of_musl_and_nothing_of_glibc(
    project: Project, tmp_path: Path
) -> None:
    ok(project.run())
    hello = installed(project, "usr/bin/hello", tmp_path)
    assert (hello.interp, hello.needed) == (f"/lib/{LOADER}", ("libc.so",))
    manifest = json.loads((project.folder / "out/tiny/images/manifest.json").read_text())
    libraries = {path for path in manifest if ".so" in path}
    assert libraries == {f"/usr/lib/{LOADER}", "/usr/lib/libc.so"}


def test_a_change_of_musl_rebuilds_what_sees_it(project: Project) -> None:
    assert sorted(ok(project.run()).built) == ["firmware", "hello", "musl"]
    musl(project, more=1)
    assert ok(project.run()).built == ["musl"]
    musl(project, more=1, header=STDIO_H + "int putchar(int);\n")
    assert sorted(ok(project.run()).built) == ["hello", "musl"]


def test_what_needs_no_c_library_is_the_same_package_for_each(project: Project) -> None:
    ok(project.run())
    board(project, "firmware", "libc", target="riscv64-linux-gnu")
    assert "firmware" not in ok(project.run()).built


def test_an_image_without_the_c_library_names_the_package_that_has_it(project: Project) -> None:
    board(project, "hello")
    ran = project.run()
    assert ran.status != 0
    assert f"hello needs /lib/{LOADER}, which is not in the image" in ran.err
    assert "musl has it, in its part `libs`" in ran.err


def test_a_package_in_cxx_is_one_error_that_says_why(project: Project) -> None:
    project.edit("packages/hello/recipe.py", "CC={cross}gcc", "CC={cross}g++")
    ran = project.run()
    assert ran.status != 0
    assert ran.err.count("reason: ") == 1
    assert "hello 1: build failed" in ran.err
    assert "reason: no-cxx-library" in ran.err
    assert "riscv64-linux-musl-g++: cannot compile C++ for musl" in ran.err


def test_packages_for_another_c_library_are_refused_before_anything_is_built(
    project: Project,
) -> None:
    project.edit(
        "packages/libc/recipe.py", "    libraries=", '    c_library="glibc",\n    libraries='
    )
    board(project, "hello", "libc", "musl")
    ran = project.run()
    assert ran.status != 0
    assert "libc is for glibc" in ran.err and "reason: wrong-c-library" in ran.err
    board(project, "hello", "libc", "musl", target="riscv64-linux-gnu")
    ran = project.run()
    assert "musl is for musl" in ran.err and "reason: wrong-c-library" in ran.err
    assert not (project.folder / "out/tiny/units/hello.json").exists()


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="only Debian has dpkg")
def test_the_record_of_glibc_names_the_packages_that_its_files_come_from(tmp_path: Path) -> None:
    """Here they are those of the machine; tests/boot/test_pinned_tools.py has the locked ones."""
    project = Project(tmp_path / "project")
    ok(project.run())
    record = json.loads((project.folder / "out/tiny/units/libc.record.json").read_text())
    (origin,) = record["origins"]
    assert origin["package"] == "libc6-riscv64-cross"
    assert origin["files"] == ["usr/lib/ld-linux-riscv64-lp64d.so.1", "usr/lib/libc.so.6"]
    assert any(source.startswith("glibc ") for source in origin["includes"])
    out = ok(project.run("why", "libc")).out
    assert f"libc: 2 files of libc6-riscv64-cross {origin['version']}, built from" in out
