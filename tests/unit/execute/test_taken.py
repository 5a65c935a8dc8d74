"""What a package takes from the real cross toolchain."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.execute.taken import take
from quard.execute.toolchain import Toolchain, find
from quard.plan.plan import HeadersStep, ToolchainStep


@pytest.fixture
def toolchain(tmp_path: Path) -> Toolchain:
    return find("riscv64-linux-gnu-", None, os.environ["PATH"], Programs(tmp_path / "memory.json"))


def test_libraries_and_the_loader_have_their_plain_names(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    loader = "/lib/ld-linux-riscv64-lp64d.so.1"
    take(tmp_path, toolchain, ToolchainStep("install", ("libm.so.6",), loader))
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "usr/lib").iterdir()}
    assert found == {"libm.so.6": 0o755, "ld-linux-riscv64-lp64d.so.1": 0o755}


def test_headers_are_those_of_the_folders_and_can_be_changed(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    take(tmp_path, toolchain, HeadersStep("install", ("linux", "mtd")))
    include = tmp_path / "usr/include"
    assert sorted(path.name for path in include.iterdir()) == ["linux", "mtd"]
    header = include / "linux/netfilter/nf_tables.h"
    assert header.stat().st_mode & 0o777 == 0o644
    assert header.stat().st_nlink == 1
    assert {path.suffix for path in include.rglob("*") if path.is_file()} == {".h"}


def test_a_folder_that_the_toolchain_lacks_is_an_error(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    with pytest.raises(QuardError) as caught:
        take(tmp_path, toolchain, HeadersStep("install", ("nowhere",)))
    assert caught.value.reason == "library-missing"
