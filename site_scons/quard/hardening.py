"""Hardening: the defences that a board's programs are built with."""

from __future__ import annotations

from dataclasses import fields

from quard.base.record import Record, record

FORTIFY = 3
"""The highest level of _FORTIFY_SOURCE."""


@record(kw_only=True)
class Hardening(Record):
    """A board's choice of defences; each can be turned off.

    pie             -- programs, including static ones, are loaded at a random address
    relro           -- data that only relocation changes becomes read-only after relocation
    bind_now        -- all symbols are bound at start, so that relro also covers their table
    stack_protector -- a function with arrays detects that its stack frame was overwritten
    fortify         -- level of _FORTIFY_SOURCE, 0 to 3: C functions check the size of buffers
    noexecstack     -- the stack is not executable
    no_textrel      -- relocation never writes to code
    no_rpath        -- libraries are searched for in the system's folders only
    """

    pie: bool = True
    relro: bool = True
    bind_now: bool = True
    stack_protector: bool = True
    fortify: int = FORTIFY
    noexecstack: bool = True
    no_textrel: bool = True
    no_rpath: bool = True

    @property
    def built(self) -> tuple[str, ...]:
        """The defences that the compiler driver adds, sorted. Plans hold these."""
        words = [name for name in BUILT if getattr(self, name) is True]
        return tuple(sorted((*words, f"fortify={self.fortify}") if self.fortify else words))

    @property
    def checked(self) -> tuple[str, ...]:
        """The defences that every program and library of an image must have."""
        return tuple(name for name in CHECKED if getattr(self, name))


NONE = Hardening(
    pie=False,
    relro=False,
    bind_now=False,
    stack_protector=False,
    fortify=0,
    noexecstack=False,
    no_textrel=False,
    no_rpath=False,
)
"""For programs that run on the build machine only."""
WORDS = tuple(field.name for field in fields(Hardening))
BUILT = ("bind_now", "noexecstack", "pie", "relro", "stack_protector")
"""Defences that the driver turns on with a flag; fortify also has a level. The others depend on
the packages themselves."""
CHECKED = ("bind_now", "no_rpath", "no_textrel", "noexecstack", "pie", "relro")
"""Defences that can be checked in a finished file. No trace of the stack protector or of fortify
may only mean that the program has nothing for them to protect."""
