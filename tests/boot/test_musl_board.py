"""The board with musl: its C library at work, and nothing of glibc."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boot.guest import Guest

pytestmark = [pytest.mark.boot, pytest.mark.share("musl")]

LOADER = "/lib/ld-musl-riscv64.so.1"
GLIBC = ("ld-linux", "libc.so.6", "libm.so.6", "libgcc_s", "libnss_", "locale")


@pytest.fixture(scope="module")
def script(musl_images: Path) -> Path:
    return musl_images / "run.sh"


def test_the_image_has_no_file_of_glibc(musl_images: Path) -> None:
    manifest = json.loads((musl_images / "manifest.json").read_text(encoding="utf-8"))
    assert [path for path in manifest if any(word in path for word in GLIBC)] == []
    assert {entry["package"] for entry in manifest.values()}.isdisjoint({"libc", "linux-headers"})


def test_the_kernel_and_the_firmware_are_those_of_the_default_board(
    images: Path, musl_images: Path
) -> None:
    for name in ("Image", "fw_dynamic.bin"):
        assert (images / name).read_bytes() == (musl_images / name).read_bytes()


@pytest.mark.parametrize("program", ["/usr/sbin/dropbear", "/usr/sbin/e2fsck"])
def test_programs_are_linked_with_musl_alone(guest: Guest, program: str) -> None:
    lines = guest.check(f"ldd {program}").splitlines()
    assert [line.split(" (")[0].strip() for line in lines] == [LOADER, f"libc.so => {LOADER}"]


def test_the_loader_starts_a_program_given_to_it(guest: Guest) -> None:
    assert "e2fsck" in guest.run(f"{LOADER} /usr/sbin/e2fsck -V").output


def test_names_in_the_hosts_file_are_found(guest: Guest) -> None:
    assert "127.0.0.1" in guest.check("ping -c 1 localhost")
