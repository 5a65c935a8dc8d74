"""The defences that a board's programs are built with."""

from __future__ import annotations

from dataclasses import dataclass, fields

FORTIFY = 3
"""The highest level of _FORTIFY_SOURCE."""


@dataclass(frozen=True, kw_only=True)
class Hardening:
    """A board's choice of defences; each can be turned off.

    pie             -- programs are loaded at a random address, static ones too
    relro           -- data that only relocation changes is read-only afterwards
    bind_now        -- every symbol is bound at the start, so that relro covers their table as well
    stack_protector -- a function that has arrays notices that its frame was overwritten
    fortify         -- level of _FORTIFY_SOURCE, 0 to 3: C functions know the size of their buffers
    noexecstack     -- the stack is not executable
    no_textrel      -- relocation never writes to code
    no_rpath        -- libraries are looked for in the system's folders only
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
        """What the compiler's driver adds, sorted: the part of the choice that a plan holds."""
        words = [name for name in BUILT if getattr(self, name) is True]
        return tuple(sorted((*words, f"fortify={self.fortify}") if self.fortify else words))

    @property
    def checked(self) -> tuple[str, ...]:
        """What every program and library of an image must show."""
        return tuple(name for name in CHECKED if getattr(self, name))


WORDS = tuple(field.name for field in fields(Hardening))
BUILT = ("bind_now", "noexecstack", "pie", "relro", "stack_protector")
"""What the driver turns on with a flag; fortify has a level besides. The others are a matter of
what packages do."""
CHECKED = ("bind_now", "no_rpath", "no_textrel", "noexecstack", "pie", "relro")
"""What can be read off a finished file. Of the stack protector and of fortify it cannot be told
whether they are missing or a program has nothing for them to protect."""
