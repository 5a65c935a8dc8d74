"""The compiler launcher that a site has chosen: `[compiler]` of its settings."""

from __future__ import annotations

import re

from quard.base.record import Record, record
from quard.base.table import Table
from quard.boards.values import address, size

NONE = "none"
CCACHE, DISTCC = "ccache", "distcc"
LIMIT = 5 << 30
"""Size of the folder of compiled files, if no setting gives it."""
_HOST = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])"
    r"(:(?P<port>[0-9]{1,5}))?(/(?P<jobs>[0-9]{1,4}))?"
)
PORT, PORTS = 3632, 1 << 16
"""The port that is registered for distcc, and the number of all."""
_JOBS = 4


@record
class CompileHost(Record):
    """A machine that compiles for others.

    jobs -- compilers that it runs at a time for this machine
    """

    name: str
    port: int
    jobs: int

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"{name}:{self.port}"


@record
class Launching(Record):
    """What starts the compiler.

    name    -- of the program; none: nothing does
    limit   -- size in bytes to which the folder of compiled files is shrunk
    storage -- address of a server that shares compiled files; "": none
    hosts   -- what compiles for this machine
    """

    name: str
    limit: int
    storage: str
    hosts: tuple[CompileHost, ...]


def read(table: Table) -> Launching:
    """Return the choice that a table makes. Raises QuardError for one that makes no sense."""
    name = table.choice("launcher", (NONE, CCACHE, DISTCC), NONE)
    storage, limit = address(table, "storage"), size(table, "limit") or LIMIT
    hosts = tuple(_host(table, text) for text in table.texts("hosts", ()))
    for key, given, user in (("storage", storage, CCACHE), ("hosts", hosts, DISTCC)):
        if given and name not in (user, NONE):
            raise table.error(key, f"is only used by {user}", f'set launcher = "{user}"')
    if name == DISTCC and not hosts:
        raise table.error("launcher", "is distcc, but no host is named", 'write hosts = ["HOST"]')
    return Launching(name, limit, storage, hosts)


def _host(table: Table, text: str) -> CompileHost:
    if found := _HOST.fullmatch(text):
        port, jobs = int(found["port"] or PORT), int(found["jobs"] or _JOBS)
        if 0 < port < PORTS and jobs:
            return CompileHost(found["name"].strip("[]"), port, jobs)
    raise table.error(
        "hosts",
        f"contains {text!r}, which is no host",
        'write it like "10.0.0.2", "builder:3632" or "builder/8", with the number of jobs',
    )
