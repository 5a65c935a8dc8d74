"""What the outermost layer read from the machine."""

from __future__ import annotations

from pathlib import Path

from quard.base.record import Record, record


@record(kw_only=True)
class Site(Record):
    """The machine and this run, as far as they do not follow from the project.

    cache  -- folder of the store and of fetched archives
    home   -- the user's home folder; None if there is none
    search -- the PATH
    machine -- the processor, as uname(2) names it
    jobs   -- number of parallel processes
    keep   -- descriptors that builds inherit
    force  -- packages to build even if nothing changed
    token  -- that the remote cache gets; "" if there is none
    remote_token -- that the server of workers gets; "" if there is none
    agent  -- socket of the user's ssh-agent (SSH_AUTH_SOCK); "" if there is none
    terminal -- type (TERM) of the terminal on standard input and output; empty if there is none
    described -- folders of the machine that may describe that terminal, the first one first
    """

    cache: Path
    home: Path | None
    search: str
    jobs: int
    machine: str
    keep: tuple[int, ...] = ()
    force: frozenset[str] = frozenset()
    token: str = ""
    remote_token: str = ""
    agent: str = ""
    terminal: str = ""
    described: tuple[Path, ...] = ()
