"""ELF files that the target cannot run or link, wherever a package installs them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from split_parts import CROSS, TOOLS, archive, compiled, link, parts_of, program, refused, write

from quard.parts.foreign import foreign_members

SOFT = ("-march=rv64imac", "-mabi=lp64")
MAIN = "void _start(void) { for (;;); }"


def host(path: Path, *options: str, source: str = "int main(void) { return 0; }") -> Path:
    """Compile for the build machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", *options, "-xc", "-", "-o", path], input=source.encode(), check=True)
    return path


def test_programs_of_the_build_machine_are_named_all_dev_part_included(stage: Path) -> None:
    host(stage / "usr/bin/generate")
    host(stage / "usr/bin/x-config")
    host(stage / "usr/lib/libx.so.1", "-shared", "-fPIC", source="int x;")
    link(stage / "usr/lib/libx.so", "libx.so.1")
    host(stage / "usr/lib/crt9.o", "-c", source="int x;")
    program(stage / "usr/bin/good")
    error = refused(lambda: parts_of(stage))
    assert error.reason == "wrong-architecture"
    assert error.message == "not for the target: usr/bin/generate and 3 more"
    wrong = "found EM_X86_64 64 bit, wanted EM_RISCV 64 bit"
    names = ("usr/bin/generate", "usr/bin/x-config", "usr/lib/crt9.o", "usr/lib/libx.so.1")
    assert error.detail.splitlines() == [f"{name}: {wrong}" for name in names]


def test_objects_of_the_build_machine_in_a_static_library_are_named(stage: Path) -> None:
    path = archive(stage / "usr/lib/libx.a")
    long = host(path.parent / "a-member-with-a-very-long-name.o", "-c", source="int y;")
    short = host(path.parent / "y.o", "-c", source="int z;")
    subprocess.run([f"{CROSS}ar", "rcSU", path, long, short], check=True)
    for member in (long, short):
        member.unlink()
    wrong = "found EM_X86_64 64 bit, wanted EM_RISCV 64 bit"
    assert refused(lambda: parts_of(stage)).detail.splitlines() == [
        f"usr/lib/libx.a: a-member-with-a-very-long-name.o: {wrong}",
        f"usr/lib/libx.a: y.o: {wrong}",
    ]


def test_another_word_size_is_told(stage: Path) -> None:
    compiled(stage / "usr/lib/x.o", "-c", "-march=rv32imac", "-mabi=ilp32")
    assert (
        "found EM_RISCV 32 bit, wanted EM_RISCV 64 bit" in refused(lambda: parts_of(stage)).detail
    )


def test_another_byte_order_is_told(stage: Path) -> None:
    compiled(stage / "usr/lib/x.o", "-c", "-mbig-endian", source="int x;")
    detail = refused(lambda: parts_of(stage)).detail
    assert "found EM_RISCV 64 bit big endian, wanted EM_RISCV 64 bit little endian" in detail


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("usr/bin/tool", ("-static", "-nostdlib", "-nostartfiles")),
        ("usr/lib/x.o", ("-c",)),
    ],
)
def test_another_floating_point_abi_is_told(
    stage: Path, name: str, options: tuple[str, ...]
) -> None:
    compiled(stage / name, *SOFT, *options, source=MAIN)
    error = refused(lambda: parts_of(stage))
    assert error.detail == f"{name}: found floating-point ABI 0x0 in e_flags, wanted 0x4"


def test_what_need_not_be_the_targets_is_left_alone(stage: Path) -> None:
    """Firmware of other processors, kernel modules, the kernel's BPF machine, mere data."""
    firmware = host(stage / "usr/lib/firmware/dsp.elf")
    same = compiled(stage / "lib/firmware/core.elf", *SOFT, "-static", "-nostdlib", source=MAIN)
    before = firmware.read_bytes(), same.read_bytes()
    compiled(stage / "usr/lib/modules/6.12/x.ko", *SOFT, "-c")
    bpf = bytearray(compiled(stage / "usr/lib/bpf/probe.o", "-c").read_bytes())
    bpf[18:20] = (247).to_bytes(2, "little")  # EM_BPF
    bpf[48:52] = bytes(4)
    (stage / "usr/lib/bpf/probe.o").write_bytes(bpf)
    blob = write(stage / "blob.bin", "data")
    data = stage / "usr/lib/blob.o"
    subprocess.run([f"{CROSS}ld", "-r", "-b", "binary", "-o", data, blob], check=True)
    blob.unlink()
    parts = parts_of(stage)
    assert "usr/lib/firmware/dsp.elf" in parts.target
    after = firmware.read_bytes(), (stage / "usr/lib/firmware/core.elf").read_bytes()
    assert after == before
    assert (stage / "usr/lib/bpf/probe.o").read_bytes() == bytes(bpf)


@pytest.mark.parametrize("size", ["", "x", "-3", "1e9"])
def test_what_is_no_archive_behind_its_first_bytes_is_left_to_the_tools(
    tmp_path: Path, size: str
) -> None:
    member = f"{'x.o/':16}{'0':12}{'0':6}{'0':6}{'644':8}{size:10}`\n".encode() + b"\x7fELF"
    (tmp_path / "x.a").write_bytes(b"!<arch>\n" + member)
    assert list(foreign_members(TOOLS.abi, "x.a", tmp_path / "x.a")) == []
