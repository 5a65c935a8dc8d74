"""The compiler launcher that a site has chosen: `[compiler]` of its settings."""

from __future__ import annotations

from dataclasses import dataclass

from quard.base.record import Record
from quard.base.table import Table
from quard.boards.values import address, size

NONE = "none"
CCACHE = "ccache"
_LIMIT = 5 << 30


@dataclass(frozen=True, repr=False)
class Launching(Record):
    """What starts the compiler.

    name    -- of the program; none: nothing does
    limit   -- size in bytes to which the folder of compiled files is shrunk
    storage -- address of a server that shares compiled files; "": none
    """

    name: str
    limit: int
    storage: str


def read(table: Table) -> Launching:
    """Return the choice that a table makes. Raises QuardError for a wrong one."""
    name = table.choice("launcher", (NONE, CCACHE), NONE)
    return Launching(name, size(table, "limit") or _LIMIT, address(table, "storage"))
