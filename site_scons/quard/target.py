"""Facts that follow from a target's GNU triple."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from quard.base.names import unknown
from quard.base.record import Record

CLibrary = Literal["glibc", "musl"]


@dataclass(frozen=True, repr=False)
class Target(Record):
    """A kind of machine that images are built for.

    triple         -- GNU triple; also the prefix of the cross tools as builds see them, without the
                      final dash
    linux_arch     -- the kernel's ARCH
    openssl_target -- the name in OpenSSL's Configurations/*.conf
    elf_machine    -- the name of its programs' e_machine
    elf_class      -- 32 or 64
    elf_order      -- byte order: little or big
    elf_abi        -- mask and value of the floating-point ABI in e_flags
    loader         -- absolute path of the dynamic loader on the target (the ABI's PT_INTERP)
    c_library      -- of its programs
    package        -- the package that has the C library and its headers; "": the compiler has them
    glibc          -- triple of the target for which the cross compiler is made; "": this one
    """

    triple: str
    linux_arch: str
    openssl_target: str
    elf_machine: str
    elf_class: int
    elf_order: Literal["little", "big"]
    elf_abi: tuple[int, int]
    loader: str
    c_library: CLibrary = "glibc"
    package: str = ""
    glibc: str = ""

    @property
    def compiler(self) -> str:
        """The triple of the cross compiler.

        Packages that run without a C library are built for the target of that triple, so that one
        result serves all C libraries.
        """
        return self.glibc or self.triple

    @property
    def libraries(self) -> tuple[str, ...]:
        """The folders that the dynamic loader searches, in its order."""
        if self.c_library == "musl":
            return ("/lib", "/usr/local/lib", "/usr/lib")
        # Debian's glibc searches the multiarch folders first (ld.so(8)).
        own = self.loader.rpartition("/")[0]
        return (f"/lib/{self.triple}", f"/usr/lib/{self.triple}", "/lib", "/usr/lib", own)


_AARCH64 = Target(
    triple="aarch64-linux-gnu",
    linux_arch="arm64",
    openssl_target="linux-aarch64",
    elf_machine="EM_AARCH64",
    elf_class=64,
    elf_order="little",
    elf_abi=(0, 0),
    loader="/lib/ld-linux-aarch64.so.1",
)
_RISCV64 = Target(
    triple="riscv64-linux-gnu",
    linux_arch="riscv",
    openssl_target="linux64-riscv64",
    elf_machine="EM_RISCV",
    elf_class=64,
    elf_order="little",
    elf_abi=(0x6, 0x4),  # EF_RISCV_FLOAT_ABI: double
    loader="/lib/ld-linux-riscv64-lp64d.so.1",
)


def _musl(glibc: Target) -> Target:
    """Return the target with musl for the same processor."""
    processor = glibc.triple.partition("-")[0]
    return replace(
        glibc,
        triple=f"{processor}-linux-musl",
        loader=f"/lib/ld-musl-{processor}.so.1",
        c_library="musl",
        package="musl",
        glibc=glibc.triple,
    )


_TARGETS = {each.triple: each for each in (_AARCH64, _musl(_AARCH64), _RISCV64, _musl(_RISCV64))}


BUILD_MACHINES = {
    "aarch64": _AARCH64,
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
