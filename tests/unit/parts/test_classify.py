"""Which part the files of a staging folder go to."""

from pathlib import Path

import pytest
from split_parts import library, link, parts_of, program, write


@pytest.mark.parametrize(
    ("name", "soname", "runtime", "dev"),
    [
        ("usr/lib/libx.so", "libx.so", True, True),
        ("usr/lib/libx-1.2.so", "libx-1.2.so", True, True),
        ("usr/lib/ld-linux-riscv64-lp64d.so.1", "ld-linux-riscv64-lp64d.so.1", True, True),
        ("usr/lib/x/libinner.so.1", "libinner.so.1", True, True),
        ("usr/lib/x/plugin.so", "plugin.so", True, False),
    ],
)
def test_where_libraries_go(stage: Path, name: str, soname: str, runtime: bool, dev: bool) -> None:
    library(stage / name, soname)
    parts = parts_of(stage)
    assert (name in parts.target, name in parts.dev) == (runtime, dev)


def test_where_links_and_scripts_of_the_linker_go(stage: Path) -> None:
    library(stage / "usr/lib/libx.so.1.2", "libx.so")
    link(stage / "usr/lib/libx.so", "libx.so.1.2")
    link(stage / "usr/lib/libold.so", "libx.so")
    link(stage / "usr/lib/libelsewhere.so", "libother.so.3")
    write(stage / "usr/lib/libscript.so", "INPUT(libx.so.1.2)")
    program(stage / "usr/bin/pkg-config")
    write(stage / "usr/bin/x1-config", "#!/bin/sh")
    link(stage / "usr/bin/x-config", "x1-config")
    parts = parts_of(stage)
    assert parts.target == ("usr/bin/pkg-config", "usr/lib/libx.so", "usr/lib/libx.so.1.2")
    assert parts.dev == (
        "usr/bin/x-config", "usr/bin/x1-config", "usr/lib/libelsewhere.so", "usr/lib/libold.so",
        "usr/lib/libscript.so", "usr/lib/libx.so", "usr/lib/libx.so.1.2",
    )  # fmt: skip


def test_headers_below_lib_go_to_dependants(stage: Path) -> None:
    c = "#ifndef X\n#define X\n#endif\n"
    for path in (
        "usr/lib/glib-2.0/include/glibconfig.h",
        "usr/lib/dbus-1.0/include/dbus/dbus-arch-deps.h",
        "usr/lib/qt/include/QtCore/QString",
        "usr/lib/perl5/5.40/CORE/perl.h",
        "usr/lib/x/hidden/api",
        "usr/share/x/api.hpp",
    ):
        write(stage / path, c)
    text = "libdir=/usr/lib\nCflags: -I${libdir}/x/hidden -I/usr/share/x\n"
    write(stage / "usr/lib/x/pkgconfig/x.pc", text)
    write(stage / "usr/lib/x/cmake/x.cmake")
    parts = parts_of(stage)
    assert parts.target == ()
    assert parts.dev == (
        "usr/lib/dbus-1.0/include/dbus/dbus-arch-deps.h", "usr/lib/glib-2.0/include/glibconfig.h",
        "usr/lib/perl5/5.40/CORE/perl.h", "usr/lib/qt/include/QtCore/QString",
        "usr/lib/x/cmake/x.cmake", "usr/lib/x/hidden/api", "usr/lib/x/pkgconfig/x.pc",
        "usr/share/x/api.hpp",
    )  # fmt: skip


def test_what_only_lies_beside_headers_or_looks_like_one_stays_on_the_target(stage: Path) -> None:
    kept = (
        "usr/lib/gcc/riscv64-linux-gnu/12/include/stddef.h",
        "usr/lib/modules/6.12/build/include/linux/x.h",
        "usr/lib/x/data",
        "usr/lib/x/include/table",
        "usr/lib/x/tool.awk",
        "usr/share/bison/skeletons/location.h",
    )
    for path in kept:
        write(stage / path, "# if this were C\n" if "data" in path else "text\n")
    library(stage / "usr/lib/x/include/plugin.so", "plugin.so")
    write(stage / "usr/lib/pkgconfig/x.pc", "Cflags: -I/usr/lib/x/include -I/usr/lib -I/usr\n")
    assert parts_of(stage).target == tuple(sorted((*kept, "usr/lib/x/include/plugin.so")))


def test_data_that_a_pkg_config_file_names_goes_to_both(stage: Path) -> None:
    write(stage / "usr/share/wayland-protocols/stable/x.xml")
    write(stage / "usr/share/other/x.xml")
    text = "datarootdir=/usr/share\npkgdatadir=${datarootdir}/wayland-protocols\n"
    write(stage / "usr/share/pkgconfig/w.pc", text)
    parts = parts_of(stage)
    both = "usr/share/wayland-protocols/stable/x.xml"
    assert parts.target == ("usr/share/other/x.xml", both)
    assert parts.dev == ("usr/share/pkgconfig/w.pc", both)


def test_what_modules_of_a_kernel_are_built_with_goes_to_dependants(stage: Path) -> None:
    write(stage / "usr/src/linux.tar", "tree")
    parts = parts_of(stage)
    assert (parts.target, parts.dev) == ((), ("usr/src/linux.tar",))


def test_how_python_was_built_goes_to_both(stage: Path) -> None:
    folder = "usr/lib/python3.11"
    both = (f"{folder}/_sysconfigdata__linux_.py", f"{folder}/config-3.11-linux/Makefile")
    for path in (*both, f"{folder}/os.py", f"{folder}/config-3.11-linux/libpython3.11.a"):
        write(stage / path, "!<arch>\n" if path.endswith(".a") else "x = 1\n")
    parts = parts_of(stage)
    assert parts.target == (both[0], both[1], f"{folder}/os.py")
    assert parts.dev == (both[0], both[1], f"{folder}/config-3.11-linux/libpython3.11.a")
