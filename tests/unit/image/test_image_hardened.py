"""The defences of every program and library in an image, and the exceptions from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.hardening import CHECKED, Hardening
from quard.image.hardened import lacks
from quard.image.rootfs import assemble
from quard.model import Unhardened
from quard.parts import elf

FULL = ("-Wl,-z,relro,-z,now,-z,noexecstack",)
START = "void _start(void) { for (;;); }"
BARE = ("-nostdlib", "-static-pie", "-Wl,--no-dynamic-linker")
TEXT = "extern int x; int *f(void) { return &x; } int x;"
"""With its address in a read-only section, as assembler may ask for, relocation writes to it."""
WRITES = '__asm__(".section .text\\n .globl p\\np: .quad g\\n .globl g\\ng: ret\\n");'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One file for each defence that it lacks, and one of each kind with all of them."""
    folder = tmp_path_factory.mktemp("elf")

    def make(name: str, source: str, *options: str) -> bytes:
        return parts.compile_c(folder, name, source, *options)

    library = ("-shared", "-fPIC", "-nostdlib")
    found = {
        "whole library": make("a.so", TEXT, *library, *FULL),
        "whole program": make("b", START, "-nostdlib", "-pie", *FULL),
        "whole static program": make("c", START, *BARE, *FULL),
        "object": make("d.o", TEXT, "-c"),
        "pie": make("e", START, "-nostdlib", "-static", "-no-pie", *FULL),
        "relro": make("f.so", TEXT, *library, "-Wl,-z,norelro,-z,now,-z,noexecstack"),
        "bind_now": make("g.so", TEXT, *library, "-Wl,-z,relro,-z,lazy,-z,noexecstack"),
        "noexecstack": make("h.so", TEXT, *library, "-Wl,-z,relro,-z,now,-z,execstack"),
        "no_rpath": make("i.so", TEXT, *library, *FULL, "-Wl,-rpath,/opt/lib"),
        "no_textrel": make("j.so", WRITES, *library, *FULL, "-Wl,-z,notext"),
    }
    return found


def test_each_lack_is_seen_and_no_other(tmp_path: Path, built: Mapping[str, bytes]) -> None:
    for name, data in built.items():
        (tmp_path / "x").write_bytes(data)
        # A static program without relro has nothing to relocate: ld writes no segment for it.
        found = set(lacks(elf.read(tmp_path / "x"))) - ({"relro"} if name == "pie" else set())
        assert found == ({name} & {*CHECKED}), name


def test_every_defence_that_is_checked_is_tried(built: Mapping[str, bytes]) -> None:
    assert {*CHECKED} <= {*built}


def test_a_mark_of_text_relocations_without_any_is_none(tmp_path: Path) -> None:
    """On RISC-V, ld 2.40 marks each position-independent program with thread-local data."""
    source = "static __thread int x = 3; int main(int c, char **v) { return x += c; }"
    parts.compile_c(tmp_path, "tls", source, "-O1", "-pie", *FULL)
    assert "no_textrel" not in lacks(elf.read(tmp_path / "tls"))


def make(folder: Path, files: Mapping[str, Any], **changes: Any) -> None:
    wanted = {"hardening": Hardening().checked, **changes}
    assemble(parts.spec(folder, {"one": files}, **wanted), folder / "tar", folder / "json")


def refused(folder: Path, files: Mapping[str, Any], **changes: Any) -> QuardError:
    with pytest.raises(QuardError) as caught:
        make(folder, files, **changes)
    return caught.value


def test_an_image_of_hardened_files_passes(tmp_path: Path, built: Mapping[str, bytes]) -> None:
    whole = {f"usr/lib/{n.replace(' ', '-')}": d for n, d in built.items() if "whole" in n}
    loader = parts.RISCV.loader.rpartition("/")[2]
    make(tmp_path, {**whole, f"usr/lib/{loader}": whole["usr/lib/whole-library"]})


def test_all_files_that_lack_something_are_told_at_once(
    tmp_path: Path, built: Mapping[str, bytes]
) -> None:
    files = {f"usr/lib/{name}.so": built[name] for name in ("bind_now", "no_rpath", "noexecstack")}
    error = refused(tmp_path, files)
    assert error.reason == "unhardened"
    assert error.message == "3 errors in the image"
    assert error.detail.splitlines() == [
        "/usr/lib/bind_now.so of package one lacks bind_now",
        "/usr/lib/no_rpath.so of package one lacks no_rpath",
        "/usr/lib/noexecstack.so of package one lacks noexecstack",
    ]
    assert "unhardened=(Unhardened(" in error.hint


def test_what_the_board_does_not_want_may_be_missing(
    tmp_path: Path, built: Mapping[str, bytes]
) -> None:
    files = {"usr/lib/x.so": built["bind_now"]}
    make(tmp_path, files, hardening=Hardening(bind_now=False).checked)


def test_an_exception_of_the_package_excuses_what_it_names(
    tmp_path: Path, built: Mapping[str, bytes]
) -> None:
    files = {"usr/lib/x.so": built["bind_now"]}
    exception = Unhardened("/usr/lib/x.*", lacks=("bind_now",), reason="a plug-in")
    make(tmp_path, files, unhardened=(("one", exception),))
    make(tmp_path, files, unhardened=(("", exception),))
    other = Unhardened("/usr/lib/x.*", lacks=("pie",), reason="a plug-in")
    error = refused(tmp_path, files, unhardened=(("one", other),))
    assert error.message == "/usr/lib/x.so of package one lacks bind_now"


def test_an_exception_reaches_no_file_of_another_package(
    tmp_path: Path, built: Mapping[str, bytes]
) -> None:
    exception = Unhardened("/usr/lib/*", lacks=("bind_now",), reason="a plug-in")
    files = {"usr/lib/x.so": built["bind_now"]}
    error = refused(tmp_path, files, unhardened=(("shell", exception),))
    assert error.reason == "unhardened"
    assert "an exception of package shell is for /usr/lib/*" in error.detail


def test_an_exception_for_nothing_is_an_error(tmp_path: Path, built: Mapping[str, bytes]) -> None:
    files = {"usr/lib/x.so": built["whole library"], "usr/lib/y.txt": b"text"}
    for path in ("/usr/lib/z.so", "/usr/lib/y.txt"):
        exception = Unhardened(path, lacks=("bind_now",), reason="a plug-in")
        error = refused(tmp_path, files, unhardened=(("", exception),))
        assert error.reason == "exception-unused"
        assert error.message.startswith(f"an exception of the board is for {path}")
    unneeded = Unhardened("/usr/lib/*", lacks=("bind_now",), reason="as another toolchain does")
    make(tmp_path, files, unhardened=(("one", unneeded),))


def test_firmware_of_other_processors_is_not_looked_at(
    tmp_path: Path, built: Mapping[str, bytes]
) -> None:
    make(tmp_path, {"usr/lib/firmware/x.elf": built["pie"]})


def test_a_package_without_its_programs_may_except_files_that_are_not_there(
    tmp_path: Path, built: Mapping[str, bytes]
) -> None:
    files = {"usr/lib/a.so": built["whole library"]}
    exceptions = (("one", Unhardened("/usr/bin/x*", lacks=("pie",), reason="old code")),)
    blob = parts.blob(tmp_path / "programs.tar", {"usr/bin/program": built["pie"]})
    make(tmp_path, files, unhardened=exceptions, left_out={("one", "programs"): Path})
    with pytest.raises(QuardError) as caught:
        make(tmp_path, files, unhardened=exceptions, left_out={("other", "programs"): lambda: blob})
    assert caught.value.reason == "exception-unused"
    assert caught.value.hint == "correct the path or remove the exception"
    board = (("", Unhardened("/usr/bin/p*", lacks=("pie",), reason="old code")),)
    with pytest.raises(QuardError) as caught:
        make(tmp_path, files, unhardened=board, left_out={("other", "programs"): lambda: blob})
    assert caught.value.reason == "exception-unused"
    assert caught.value.hint.startswith(
        "other has it, in its part `programs`, which the image does not have: "
    )
