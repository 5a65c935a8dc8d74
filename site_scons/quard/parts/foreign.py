"""Which ELF files the target cannot run or link: those of another machine, class, order or ABI.

A program or library that the build made for its own use, with the build machine's compiler, must
not be installed. Two kinds of files are exempt: firmware below usr/lib/firmware, and programs for
the kernel's BPF machine.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from quard.parts.elf import Elf
from quard.parts.elf_machines import MACHINES
from quard.parts.elf_view import MAGIC
from quard.parts.stage import below
from quard.target import ElfAbi

ARCHIVE = b"!<arch>\n"

FIRMWARE = "usr/lib/firmware"
_MODULES = "usr/lib/modules"
"""Kernel modules are compiled without floating point, on some machines with another ABI."""
_MEMBER = struct.Struct("16s12s6s6s8s10s2s")
"""ar(5): name, time, owner, group, mode, size, and the two bytes `\\x60\\n`."""


def mismatch(
    abi: ElfAbi, path: str, machine: str, bits: int, order: str, flags: int, *, linked: bool
) -> str:
    """Return why an ELF file is not for the target; empty if it is, or is exempt.

    path    -- below the staging folder, or in the image, without a leading slash
    machine -- the name of e_machine
    linked  -- not an object file: those may have no code, and then no flags
    """
    if below(path, FIRMWARE) or machine == "EM_BPF":
        return ""
    found, wanted = f"{machine} {bits} bit", f"{abi.machine} {abi.bits} bit"
    if order != abi.order:
        found, wanted = f"{found} {order} endian", f"{wanted} {abi.order} endian"
    if found != wanted:
        return f"found {found}, wanted {wanted}"
    mask, value = abi.flags
    if flags & mask == value or below(path, _MODULES) or not (linked or flags):
        return ""
    return f"found floating-point ABI {flags & mask:#x} in e_flags, wanted {value:#x}"


def foreign(abi: ElfAbi, path: str, frame: Elf) -> str:
    """Return why a staged ELF file is not for the target, as `mismatch` does."""
    return mismatch(
        abi,
        path,
        frame.machine,
        frame.bits,
        frame.order,
        frame.flags,
        linked=frame.kind != "rel",
    )


def foreign_members(abi: ElfAbi, path: str, place: Path) -> Iterator[str]:
    """Yield why object files in a static library are not for the target, each with its name.

    Files that do not parse are left to the tools that read them.
    """
    with place.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        names, offset = b"", len(ARCHIVE)
        while offset + _MEMBER.size <= len(data):
            name, *_, digits, _end = _MEMBER.unpack_from(data, offset)
            start = offset + _MEMBER.size
            if not digits.strip().isdigit():
                return
            size = int(digits)
            if name.startswith(b"//"):
                names = data[start : start + size]
            header = data[start : start + 64]
            if header.startswith(MAGIC) and len(header) == 64:
                found = _header(abi, path, header)
                if found:
                    yield f"{_member_name(name, names)}: {found}"
            offset = start + size + size % 2


def _header(abi: ElfAbi, path: str, header: bytes) -> str:
    """Return why the ELF file with this header is not for the target."""
    bits, order = 32 * header[4], "little" if header[5] == 1 else "big"
    mark = "<" if order == "little" else ">"
    kind, number = struct.unpack_from(f"{mark}HH", header, 16)
    (flags,) = struct.unpack_from(f"{mark}I", header, 48 if bits == 64 else 36)
    machine = MACHINES.get(number, str(number))
    return mismatch(abi, path, machine, bits, order, flags, linked=kind != 1)


def _member_name(name: bytes, names: bytes) -> str:
    """Return a member's name; GNU ar keeps long ones in a table and gives the offset, as /42."""
    text = name.rstrip()
    if text[:1] == b"/" and text[1:].isdigit():
        text = names[int(text[1:]) :].partition(b"\n")[0]
    return text.rstrip(b"/").decode(errors="backslashreplace")
