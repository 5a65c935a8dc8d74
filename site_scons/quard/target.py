"""Facts that follow from a target's GNU triple."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quard.base.names import unknown


@dataclass(frozen=True)
class Target:
    """A kind of machine that images are built for.

    triple         -- GNU triple; also the prefix of the cross tools, without the final dash
    linux_arch     -- the kernel's ARCH
    openssl_target -- the name in OpenSSL's Configurations/*.conf
    elf_machine    -- the name of its programs' e_machine
    elf_class      -- 32 or 64
    elf_order      -- byte order: little or big
    elf_abi        -- mask and value of the floating-point ABI in e_flags
    loader         -- absolute path of the dynamic loader on the target (the ABI's PT_INTERP)
    """

    triple: str
    linux_arch: str
    openssl_target: str
    elf_machine: str
    elf_class: int
    elf_order: Literal["little", "big"]
    elf_abi: tuple[int, int]
    loader: str


_TARGETS = {
    target.triple: target
    for target in (
        Target(
            triple="riscv64-linux-gnu",
            linux_arch="riscv",
            openssl_target="linux64-riscv64",
            elf_machine="EM_RISCV",
            elf_class=64,
            elf_order="little",
            elf_abi=(0x6, 0x4),  # EF_RISCV_FLOAT_ABI: double
            loader="/lib/ld-linux-riscv64-lp64d.so.1",
        ),
    )
}


BUILD_MACHINES = {
    "aarch64": Target(
        triple="aarch64-linux-gnu",
        linux_arch="arm64",
        openssl_target="linux-aarch64",
        elf_machine="EM_AARCH64",
        elf_class=64,
        elf_order="little",
        elf_abi=(0, 0),
        loader="/lib/ld-linux-aarch64.so.1",
    ),
    "x86_64": Target(
        triple="x86_64-linux-gnu",
        linux_arch="x86",
        openssl_target="linux-x86_64",
        elf_machine="EM_X86_64",
        elf_class=64,
        elf_order="little",
        elf_abi=(0, 0),
        loader="/lib64/ld-linux-x86-64.so.2",
    ),
}
"""Kinds of machines that packages are built on, by the processor's name in uname(2)."""


def target(triple: str) -> Target:
    """Return the target with this triple. Raises QuardError for an unknown one."""
    found = _TARGETS.get(triple)
    if found is None:
        raise unknown("target", triple, sorted(_TARGETS), "add it to quard/target.py")
    return found


def facts(triple: str, *, native: bool) -> Target:
    """Return the machine whose programs have this triple: a target, or a build machine."""
    if not native:
        return target(triple)
    return next(each for each in BUILD_MACHINES.values() if each.triple == triple)
