"""The default board as everybody builds it: with the pinned tools, where they can be used."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from quard.tools import lockfile, names

pytestmark = pytest.mark.boot
TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def decision(images: Path) -> None:
    """Skip where this machine cannot use the pinned tools."""
    found = json.loads((images.parent / "tools.json").read_text(encoding="utf-8"))
    if not found["pinned"]:
        pytest.skip(found["why"])


@pytest.mark.usefixtures("decision")
def test_programs_are_compiled_by_the_locked_compiler(images: Path) -> None:
    lock = lockfile.read(TOP, names.load(TOP).release, lockfile.machine(os.uname().machine))
    version = lock.packages["gcc-14-riscv64-linux-gnu"].version.partition("cross")[0]
    boot = subprocess.run(
        ("grep", "-a", "-o", "gcc[^)]*) [0-9.]*", images / "Image"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"Debian {version}" in boot.stdout


@pytest.mark.usefixtures("decision")
def test_the_emulator_beside_the_images_is_the_locked_one(images: Path) -> None:
    lock = lockfile.read(TOP, names.load(TOP).release, lockfile.machine(os.uname().machine))
    version = lock.packages["qemu-system-riscv"].version.partition(":")[2]
    done = subprocess.run(
        (images.parent / "tools" / "qemu-system-riscv64", "--version"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.partition("+")[0] in done.stdout, done.stdout
