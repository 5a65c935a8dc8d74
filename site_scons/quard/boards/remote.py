"""Settings of remote execution: [remote] in local.toml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from quard.base.record import Record, record
from quard.base.table import Table
from quard.boards.values import address

_JOBS, _QUEUE = 4, 120
_MOST_JOBS, _MOST_QUEUE = 1000, 86_400
_SCHEMES = ("grpc", "grpcs")


@record(kw_only=True)
class Remote(Record):
    """The workers that build packages.

    url   -- address of the server that has them
    jobs  -- number of packages that they build at a time, besides those that are built here
    queue -- seconds that a package waits for a worker before it is built here
    certificate -- file of the certificate and key for the server; None: none
    """

    url: str
    jobs: int
    queue: int
    certificate: Path | None


def read(table: Table, file: Callable[[Table, str], Path | None]) -> Remote | None:
    """Return what the settings say; None if packages are built here only.

    file -- returns the file that a setting names
    Raises QuardError bad-setting.
    """
    found = Remote(
        url=_url(table),
        jobs=_number(table, "jobs", _JOBS, _MOST_JOBS),
        queue=_number(table, "queue", _QUEUE, _MOST_QUEUE),
        certificate=file(table, "certificate"),
    )
    if not table.flag("execute", False):
        return None
    if not found.url:
        raise table.error("execute", "needs the address of a server", 'set [remote] url = "..."')
    return found


def _url(table: Table) -> str:
    found = address(table, "url", _SCHEMES)
    if found and urlsplit(found).scheme not in _SCHEMES:
        raise table.error(
            "url",
            "is not an address of the Remote Execution API",
            'write it like "grpcs://build.example:8980/instance"',
        )
    return found


def _number(table: Table, name: str, usual: int, most: int) -> int:
    found = table.number(name, usual)
    if not 1 <= found <= most:
        raise table.error(name, f"must be from 1 to {most}")
    return found
