"""A target: a kind of machine that programs are built for. Its facts come from a file as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from quard.base.record import Record, record

CLibrary = Literal["glibc", "musl"]
OTHERS = "*"
"""The word that chooses a recipe's value for all targets that no other word chooses."""


@record
class ElfAbi(Record):
    """What the ELF header of a target's programs and libraries says.

    machine -- the name of e_machine, as in EM_RISCV
    bits    -- the class: 32 or 64
    order   -- the byte order: little or big
    flags   -- mask and value of those bits of e_flags that must be the same in all files, which
               are mostly those of the floating-point ABI
    """

    machine: str
    bits: int
    order: str
    flags: tuple[int, int]


@record(kw_only=True)
class Target(Record):
    """A kind of machine, with a C library.

    triple      -- GNU triple; also the prefix of the cross tools as builds see them, without the
                   final dash
    linux_arch  -- the kernel's ARCH
    linux_image -- make target of the kernel that the machine starts; its file's name below
                   arch/ARCH/boot
    gdb         -- gdb's name of the architecture (set architecture)
    flags       -- compiler flags that all programs need, before the board's; "" for none
    loader      -- absolute path of the dynamic loader on the target (the ABI's PT_INTERP)
    words       -- other projects' names of it, as (PACKAGE.WORD, name)
    c_library   -- of its programs
    package     -- the package that has the C library and its headers; "": the compiler has them
    glibc       -- the target for which the cross compiler is made; None: this one
    file        -- name of the file that describes it, see quard.boards.trees
    tools       -- Debian's packages of its cross compiler and C library, sorted; none: the pinned
                   tools have no compiler for it
    """

    triple: str
    linux_arch: str
    linux_image: str
    gdb: str
    flags: str
    loader: str
    elf: ElfAbi
    words: tuple[tuple[str, str], ...]
    c_library: CLibrary = "glibc"
    package: str = ""
    glibc: Target | None = None
    file: str = ""
    tools: tuple[str, ...] = ()

    @property
    def compiler(self) -> str:
        """The triple of the cross compiler."""
        return self.freestanding.triple

    @property
    def freestanding(self) -> Target:
        """The target of packages that run without a C library.

        It is the cross compiler's, so that one result serves all C libraries.
        """
        return self.glibc or self

    @property
    def chosen_by(self) -> tuple[str, ...]:
        """The words that choose a recipe's value for this target, the first one first."""
        return (
            self.triple,
            processor(self.triple),
            f"bits:{self.elf.bits}",
            f"endian:{self.elf.order}",
            OTHERS,
        )

    @property
    def libraries(self) -> tuple[str, ...]:
        """The folders that the dynamic loader searches, in its order."""
        if self.c_library == "musl":
            return ("/lib", "/usr/local/lib", "/usr/lib")
        # Debian's glibc searches the multiarch folders first (ld.so(8)).
        own = self.loader.rpartition("/")[0]
        return (f"/lib/{self.triple}", f"/usr/lib/{self.triple}", "/lib", "/usr/lib", own)


def processor(triple: str) -> str:
    """Return the processor that a GNU triple names."""
    return triple.partition("-")[0]


def choosing(triples: Iterable[str]) -> frozenset[str]:
    """Return the words that choose a recipe's value for any of these targets."""
    found = {word for triple in triples for word in (triple, processor(triple))}
    return frozenset(found | {"bits:32", "bits:64", "endian:little", "endian:big", OTHERS})


def c_library(triple: str) -> CLibrary:
    """Return the C library that a GNU triple names."""
    return "musl" if triple.rpartition("-")[2].startswith("musl") else "glibc"


def with_musl(glibc: Target, loader: str) -> Target:
    """Return the target with musl for the same processor.

    loader -- absolute path of musl's dynamic loader
    """
    cpu, _, abi = glibc.triple.partition("-linux-gnu")
    return replace(
        glibc,
        triple=f"{cpu}-linux-musl{abi}",
        loader=loader,
        c_library="musl",
        package="musl",
        glibc=glibc,
    )
