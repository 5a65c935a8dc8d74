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
    assert (name in parts.runtime, name in parts.dev) == (runtime, dev)


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
    assert parts.runtime == ("usr/bin/pkg-config", "usr/lib/libx.so", "usr/lib/libx.so.1.2")
    assert parts.dev == (
        "usr/bin/x-config", "usr/bin/x1-config", "usr/lib/libelsewhere.so", "usr/lib/libold.so",
        "usr/lib/libscript.so", "usr/lib/libx.so", "usr/lib/libx.so.1.2",
    )  # fmt: skip
