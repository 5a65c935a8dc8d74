"""Packages of which an image has only the libs: which of them nothing is linked with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.image.overlay import scan
from quard.image.rootfs import assemble

MAIN = "int foo(void); int main(void) { return foo(); }"
FLAGS = ("-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libfoo.so.1")
ALONE = ("-nostdlib", "-static-pie", "-Wl,--no-dynamic-linker")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A library, a program that is linked with it, and one that is not."""
    folder = tmp_path_factory.mktemp("elf")
    library = parts.compile_c(folder, "libfoo.so", "int foo(void) { return 0; }", *FLAGS)
    options = (f"-L{folder}", "-l:libfoo.so", "-nostartfiles", "-nodefaultlibs", "-Wl,-e,main")
    return {
        "library": library,
        "user": parts.compile_c(folder, "user", MAIN, *options),
        "alone": parts.compile_c(folder, "alone", "void _start(void) { for (;;); }", *ALONE),
    }


def unlinked(
    folder: Path, packages: dict[str, dict[str, Any]], *needed: str, **changes: Any
) -> tuple[str, ...]:
    spec = parts.spec(
        folder, packages, left_out={(name, "programs"): Path for name in needed}, **changes
    )
    return assemble(spec, folder / "tar", folder / "json").unlinked


def loader(built: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    return {"libc": {parts.RISCV.loader.lstrip("/").replace("lib/", "usr/lib/"): built["library"]}}


def library(built: dict[str, bytes]) -> dict[str, Any]:
    return {"usr/lib/libfoo.so.1": "libfoo.so.1.0", "usr/lib/libfoo.so.1.0": built["library"]}


def test_a_library_that_a_program_is_linked_with_is_not_reported(
    tmp_path: Path, built: dict[str, bytes]
) -> None:
    packages = loader(built) | {
        "app": {"usr/bin/app": (built["user"], 0o755)},
        "foo": library(built),
    }
    assert unlinked(tmp_path, packages, "foo", "libc") == ()


def test_a_library_that_only_its_own_package_is_linked_with_is_reported(
    tmp_path: Path, built: dict[str, bytes]
) -> None:
    own = {"usr/lib/foo/helper": (built["user"], 0o755)}
    packages = loader(built) | {
        "app": {"usr/bin/app": (built["alone"], 0o755)},
        "foo": library(built) | own,
        "bar": {"usr/lib/libbar.so": built["library"]},
    }
    assert unlinked(tmp_path, packages, "foo", "bar") == ("bar", "foo")
    assert unlinked(tmp_path, packages, "bar") == ("bar",), "foo is listed by the board"


def test_a_package_without_a_library_in_the_loaders_folder_is_not_reported(
    tmp_path: Path, built: dict[str, bytes]
) -> None:
    packages: dict[str, dict[str, Any]] = {
        "app": {"usr/bin/app": (built["alone"], 0o755)},
        "data": {"usr/lib/locale/C.utf8/x": b"x", "usr/lib/libtool.conf": b"x"},
        "plugin": {"usr/lib/app/libplugin.so": built["library"]},
    }
    assert unlinked(tmp_path, packages, "data", "plugin") == ()


def test_a_program_of_an_overlay_counts(tmp_path: Path, built: dict[str, bytes]) -> None:
    overlay = tmp_path / "overlay"
    (overlay / "usr/bin").mkdir(parents=True)
    (overlay / "usr/bin/app").write_bytes(built["user"])
    (overlay / "usr/bin/app").chmod(0o755)
    packages = loader(built) | {"foo": library(built)}
    assert unlinked(tmp_path, packages, "foo") == ("foo",)
    assert unlinked(tmp_path, packages, "foo", overlays=(scan("o", overlay),)) == ()


def test_a_library_that_goes_because_nothing_needs_it_does_not_count(
    tmp_path: Path, built: dict[str, bytes]
) -> None:
    packages = loader(built) | {
        "app": {"usr/bin/app": (built["alone"], 0o755)},
        "foo": library(built) | {"usr/lib/libother.so": built["user"]},
    }
    assert unlinked(tmp_path, packages, "foo") == ("foo",)
    on_demand = (("foo", "usr/lib/libother.so"),)
    assert unlinked(tmp_path, packages, "foo", on_demand=on_demand) == ("foo",)
