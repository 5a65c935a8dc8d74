from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.rootfs import assemble
from quard.model import User

LOADER = parts.RISCV.loader.rpartition("/")[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Programs for the target: with a loader and libraries, static, and only an object."""
    folder = tmp_path_factory.mktemp("elf")
    main = "int foo(void); int main(void) { return foo(); }"
    lib = ("-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libfoo.so.1")
    found = {"library": parts.compile_c(folder, "libfoo.so", "int foo(void) { return 0; }", *lib)}
    link = (f"-L{folder}", "-l:libfoo.so")
    found["program"] = parts.compile_c(folder, "program", main, *link)
    origin = (*link, "-Wl,-rpath,$ORIGIN/../lib/deep")
    found["origin"] = parts.compile_c(folder, "origin", main, *origin)
    found["static"] = parts.compile_c(
        folder, "static", "void _start(void) { for (;;); }", "-static", "-nostdlib"
    )
    found["object"] = parts.compile_c(folder, "object.o", "int x;", "-c")
    return found


def make(folder: Path, files: Mapping[str, Any], **changes: Any) -> None:
    assemble(parts.spec(folder, {"one": files}, **changes), folder / "tar", folder / "json")


def refused(folder: Path, files: Mapping[str, Any], **changes: Any) -> QuardError:
    with pytest.raises(QuardError) as caught:
        make(folder, files, **changes)
    assert not (folder / "tar").exists()
    assert not (folder / "json").exists()
    return caught.value


def whole(built: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "usr/bin/program": (built["program"], 0o755),
        "usr/lib/libfoo.so.1": built["library"],
        f"usr/lib/{LOADER}": (built["library"], 0o755),
        "usr/lib/libc.so.6": built["library"],
    }


def test_complete_image_passes(tmp_path: Path, built: dict[str, bytes]) -> None:
    make(tmp_path, whole(built) | {"usr/bin/s": built["static"], "usr/lib/x.o": built["object"]})


def test_program_of_the_build_machine_is_refused(tmp_path: Path) -> None:
    data = Path(sys.executable).resolve().read_bytes()
    error = refused(tmp_path, {"usr/bin/python": (data, 0o755)})
    assert error.reason == "wrong-architecture"
    assert error.message == "/usr/bin/python of package one is for another machine"
    assert "wanted EM_RISCV 64 bit" in error.detail


def test_program_of_the_other_word_size_is_refused(tmp_path: Path) -> None:
    narrow = parts.compile_c(tmp_path, "narrow.o", "int x;", "-c", "-march=rv32imac", "-mabi=ilp32")
    error = refused(tmp_path, {"usr/lib/narrow.o": narrow})
    assert error.reason == "wrong-architecture"
    assert "found EM_RISCV 32 bit" in error.detail


@pytest.mark.parametrize("gone", ["libfoo.so.1", "libc.so.6", LOADER])
def test_missing_library_or_loader_names_file_package_and_library(
    tmp_path: Path, built: dict[str, bytes], gone: str
) -> None:
    files = whole(built)
    del files[f"usr/lib/{gone}"]
    error = refused(tmp_path, files)
    assert error.reason == "missing-library"
    assert "/usr/bin/program of package one needs " in error.message
    assert gone in error.message


def test_near_miss_of_a_library_is_shown(tmp_path: Path, built: dict[str, bytes]) -> None:
    files = whole(built)
    files["usr/lib/libfoo.so.2"] = files.pop("usr/lib/libfoo.so.1")
    assert "the image has libfoo.so.2" in refused(tmp_path, files).detail


def test_library_may_be_a_link_and_lie_in_the_multiarch_folder(
    tmp_path: Path, built: dict[str, bytes]
) -> None:
    files = whole(built)
    files["usr/lib/riscv64-linux-gnu/libfoo.so.1.2"] = files.pop("usr/lib/libfoo.so.1")
    files["usr/lib/riscv64-linux-gnu/libfoo.so.1"] = "libfoo.so.1.2"
    make(tmp_path, files)


def test_run_path_relative_to_the_program_is_searched(
    tmp_path: Path, built: dict[str, bytes]
) -> None:
    files = whole(built) | {"usr/bin/program": (built["origin"], 0o755)}
    files["usr/lib/deep/libfoo.so.1"] = files.pop("usr/lib/libfoo.so.1")
    make(tmp_path, files)
    files["usr/lib/deeper/libfoo.so.1"] = files.pop("usr/lib/deep/libfoo.so.1")
    assert "/usr/bin/../lib/deep" in refused_second(tmp_path, files).detail


def refused_second(folder: Path, files: Mapping[str, Any]) -> QuardError:
    """As `refused`, but what was made before is still there, and still the same."""
    before = (folder / "tar").read_bytes(), (folder / "json").read_bytes()
    with pytest.raises(QuardError) as caught:
        make(folder, files)
    assert ((folder / "tar").read_bytes(), (folder / "json").read_bytes()) == before
    return caught.value


@pytest.mark.parametrize("size", [4, 20, 70, 700])
def test_damaged_elf_is_refused(tmp_path: Path, built: dict[str, bytes], size: int) -> None:
    assert refused(tmp_path, {"usr/bin/p": built["program"][:size]}).reason == "bad-elf"


@pytest.mark.parametrize("target", ["none", "/usr/none", "../../usr/lib/none"])
def test_link_to_nothing_is_refused(tmp_path: Path, target: str) -> None:
    error = refused(tmp_path, {"usr/lib/x": target})
    assert error.reason == "dangling-link"
    assert "/usr/lib/x of package one" in error.message


@pytest.mark.parametrize("target", ["/proc/mounts", "../../run/x", "/dev/null", "/", "/var/x/y"])
def test_link_into_a_folder_of_the_running_system_is_fine(tmp_path: Path, target: str) -> None:
    make(tmp_path, {"usr/lib/x": target})


def test_table_may_allow_a_link_to_nothing(tmp_path: Path) -> None:
    table = 'dangling = ["/lib/x"]\n' + parts.BASE
    make(tmp_path, {"usr/lib/x": "none"}, system=parts.system(tmp_path / "t", table))


def test_circle_of_links_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, {"etc/a": "b", "etc/b": "a"}).reason == "link-loop"


@pytest.mark.parametrize(
    "line", [b"#!/usr/bin/perl -w\n", b"#!/usr/bin/env perl\n", b"#! /bin/bash", b"#!\n", b"#!"]
)
def test_script_without_its_interpreter_is_refused(tmp_path: Path, line: bytes) -> None:
    error = refused(tmp_path, {"usr/bin/x": (line, 0o755), "usr/bin/env": b"env"})
    assert error.reason == "missing-interpreter"
    assert "/usr/bin/x of package one" in error.message


@pytest.mark.parametrize("line", [b"#!/bin/sh\n", b"#! /usr/bin/env sh\n", b"#!/usr/bin/sh -e\n"])
def test_script_with_its_interpreter_is_fine(tmp_path: Path, line: bytes) -> None:
    make(tmp_path, {"usr/bin/x": (line, 0o755), "usr/bin/env": b"env"})


def test_text_that_nobody_executes_may_name_any_interpreter(tmp_path: Path) -> None:
    make(tmp_path, {"usr/share/x": b"#!/usr/bin/perl\n"})


def test_account_needs_its_shell(tmp_path: Path) -> None:
    users = (("one", User("web", 80, shell="/bin/zsh")),)
    error = refused(tmp_path, {}, users=users)
    assert error.reason == "missing-shell"
    assert "web" in error.message
    assert "/bin/zsh" in error.message


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path, built: dict[str, bytes]) -> None:
    files = whole(built) | {
        "usr/bin/one": (b"#!/usr/bin/perl\n", 0o755),
        "usr/bin/two": (b"#!/usr/bin/python3\n", 0o755),
        "usr/bin/foreign": (Path(sys.executable).resolve().read_bytes(), 0o755),
        "usr/bin/damaged": (built["program"][:70], 0o755),
        "usr/lib/lost": "nowhere",
        "etc/a": "b",
        "etc/b": "a",
        "usr/bin/circle": (b"#!/etc/a\n", 0o755),
    }
    del files["usr/lib/libfoo.so.1"], files["usr/lib/libc.so.6"]
    users = (("one", User("web", 80, shell="/bin/zsh")),)
    error = refused(tmp_path, files, users=users)
    assert error.message == "11 errors in the image"
    assert error.reason == "link-loop"
    lines = [line for line in error.detail.splitlines() if line[0] == "/" or "shell" in line]
    assert [line.partition(" of ")[0] for line in lines if line[0] == "/"] == [
        "/etc/a is in a loop",
        "/etc/b is in a loop",
        "/usr/lib/lost",
        "/usr/bin/circle",
        "/usr/bin/one",
        "/usr/bin/two",
        "/usr/bin/damaged",
        "/usr/bin/foreign",
        "/usr/bin/program",
        "/usr/bin/program",
    ]
    for text in ("needs libfoo.so.1", "needs libc.so.6", "the shell of web, /bin/zsh"):
        assert text in error.detail
    assert "missing-interpreter: drop the script" in error.detail


def test_program_of_another_floating_point_abi_is_refused(tmp_path: Path) -> None:
    options = ("-march=rv64imac", "-mabi=lp64", "-static", "-nostdlib")
    data = parts.compile_c(tmp_path, "soft", "void _start(void) { for (;;); }", *options)
    error = refused(tmp_path, {"usr/bin/soft": (data, 0o755)})
    assert error.reason == "wrong-architecture"
    assert "floating-point ABI 0x0" in error.detail


def test_firmware_may_be_for_any_processor(tmp_path: Path) -> None:
    make(tmp_path, {"usr/lib/firmware/dsp.elf": Path(sys.executable).resolve().read_bytes()})


def test_a_long_target_is_told_once_and_in_short(tmp_path: Path) -> None:
    error = refused(tmp_path, {"usr/x": "t" * 4000})
    assert error.reason == "dangling-link"
    assert len(error.block()) < 500


@pytest.fixture
def left_out(tmp_path: Path, built: dict[str, bytes]) -> dict[tuple[str, str], Any]:
    """Packages of which an image has only the libs, and where their programs are."""
    files = {
        "usr/libexec/two/libfoo.so.1": built["library"],
        "usr/lib/private/libfoo.so.1": built["library"],
        "usr/bin/perl": (b"perl", 0o755),
        "usr/bin/zsh": (b"zsh", 0o755),
        "usr/sbin/mail": (b"mail", 0o755),
        "usr/libexec/two/nested/data": b"x",
    }
    blob = parts.blob(tmp_path / "programs.tar", files)
    return {
        ("aaa", "programs"): lambda: parts.blob(tmp_path / "none.tar", {}),
        ("two", "programs"): lambda: blob,
    }


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"usr/bin/x": (b"#!/usr/bin/perl -w\n", 0o755)}, "missing-interpreter"),
        ({"usr/bin/x": (b"#!/bin/perl\n", 0o755)}, "missing-interpreter"),
        (
            {"usr/bin/x": (b"#!/usr/bin/env mail\n", 0o755), "usr/bin/env": b"env"},
            "missing-interpreter",
        ),
        ({"usr/lib/mail": "../sbin/mail"}, "dangling-link"),
        ({"usr/lib/two": "/usr/libexec/two/nested"}, "dangling-link"),
    ],
    ids=["path", "merged path", "env", "link", "link to a folder"],
)
def test_what_a_package_would_bring_if_it_came_whole_is_named_with_the_remedy(
    tmp_path: Path, left_out: dict[tuple[str, str], Any], files: dict[str, Any], reason: str
) -> None:
    error = refused(tmp_path, files, left_out=left_out)
    assert error.reason == reason
    assert error.hint.startswith(
        "two has it, in its part `programs`, which the image does not have: list two "
    )


def test_a_shell_that_a_package_would_bring_is_named_with_the_remedy(
    tmp_path: Path, left_out: dict[tuple[str, str], Any]
) -> None:
    users = (("one", User("web", 80, shell="/bin/zsh")),)
    error = refused(tmp_path, {}, users=users, left_out=left_out)
    assert error.reason == "missing-shell"
    assert error.hint.startswith("two has it, ")


@pytest.mark.parametrize(
    ("folder", "helps"), [("private", True), ("elsewhere", False)], ids=["searched", "not searched"]
)
def test_a_library_is_named_only_if_the_loader_would_find_it_where_it_is(
    tmp_path: Path,
    built: dict[str, bytes],
    left_out: dict[tuple[str, str], Any],
    folder: str,
    helps: bool,
) -> None:
    main = "int foo(void); int main(void) { return foo(); }"
    (tmp_path / "libfoo.so").write_bytes(built["library"])
    options = (f"-L{tmp_path}", "-l:libfoo.so", f"-Wl,-rpath,/usr/lib/{folder}")
    files = whole(built)
    files["usr/bin/program"] = (parts.compile_c(tmp_path, "program", main, *options), 0o755)
    del files["usr/lib/libfoo.so.1"]
    error = refused(tmp_path, files, left_out=left_out)
    assert error.reason == "missing-library"
    assert error.hint.startswith("two has it, ") is helps
    assert error.hint.endswith("to the recipe's `needs` or `runtime`") is not helps


def test_programs_that_are_left_out_are_read_only_to_explain_an_error(
    tmp_path: Path, built: dict[str, bytes]
) -> None:
    def read() -> Path:
        raise AssertionError("no error needs it")

    make(tmp_path, whole(built), left_out={("two", "programs"): read})
