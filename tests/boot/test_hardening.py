"""What the check of an image cannot see: that its packages use the stack protector and fortify."""

from __future__ import annotations

import json
import tarfile
from collections import defaultdict
from pathlib import Path

import pytest

from quard.parts import elf

pytestmark = pytest.mark.boot

NOT_OURS = {"libc"}
"""Comes from the toolchain, as its makers built it."""


def imports(images: Path, folder: Path) -> dict[str, set[str]]:
    """Return what the dynamic programs and libraries of each package ask of others."""
    owners = json.loads((images / "manifest.json").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = defaultdict(set)
    with tarfile.open(images / "rootfs.tar") as tar:
        for member in tar:
            data = tar.extractfile(member) if member.isreg() else None
            if data is None or data.read(4) != b"\x7fELF":
                continue
            data.seek(0)
            place = folder / "file"
            place.write_bytes(data.read())
            if elf.read(place).needed:
                package = owners[f"/{member.name.removeprefix('./')}"]["package"]
                found[package] |= {s.name for s in elf.symbols(place) if not s.section}
    return found


def lacking(images: Path, folder: Path, *, musl: bool = False) -> dict[str, list[str]]:
    """Return package -> defences of which no program or library of it has a trace.

    musl -- the C library has no functions for fortify
    """
    found = imports(images, folder)
    for name in NOT_OURS:
        assert (found.pop(name, None) is None) == musl
    assert found, "an image has programs"
    without = {
        name: [
            what
            for what, there in (
                ("stack protector", "__stack_chk_fail" in symbols),
                ("fortify", musl or any(symbol.endswith("_chk") for symbol in symbols)),
            )
            if not there
        ]
        for name, symbols in sorted(found.items())
    }
    return {name: missing for name, missing in without.items() if missing}


@pytest.mark.parametrize(
    "board",
    ["images", "small_images", pytest.param("musl_images", marks=pytest.mark.share("musl"))],
)
def test_every_package_has_the_stack_protector_and_fortify_if_the_c_library_has_it(
    board: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    images = request.getfixturevalue(board)
    assert lacking(images, tmp_path, musl=board == "musl_images") == {}
