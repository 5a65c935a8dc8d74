"""What recipes say about the files that they install; part of the vocabulary in quard.model."""

from __future__ import annotations

from quard.base.record import Record, record

USER = r"[a-z_][a-z0-9_-]{0,30}"
"""Pattern of account and group names on the target: those that every tool accepts (useradd(8))."""

ANY = "*"
"""In a recipe's `yields_to`: all packages."""


@record
class User(Record):
    """An account that a package needs on the target, with a group of the same name and number."""

    name: str
    uid: int
    home: str = "/"
    shell: str = "/bin/false"
    gecos: str = ""


@record
class Permission(Record):
    """Owner and mode of installed paths, and what else the kernel keeps with them.

    path         -- absolute, may contain shell wildcards
    capabilities -- of programs, as setcap(8) takes them: `cap_net_raw,cap_net_admin+ep`
    xattrs       -- further extended attributes, as (name, value); quard.base.xattrs has the forms
    """

    path: str
    mode: str
    owner: str = "root"
    group: str = "root"
    capabilities: str = ""
    xattrs: tuple[tuple[str, str], ...] = ()

    @property
    def has_attributes(self) -> bool:
        """Whether it gives capabilities or other attributes."""
        return bool(self.capabilities or self.xattrs)


@record
class Unhardened(Record):
    """Programs and libraries that may lack defences of the board's [hardening], and why.

    path   -- absolute, may contain shell wildcards
    lacks  -- the missing defences, as keys of [hardening] that are checked
    reason -- in a few words
    """

    path: str
    lacks: tuple[str, ...]
    reason: str


@record
class Service(Record):
    """A service that the target starts at boot; `script` or `run` says how.

    name   -- unique on a board, which names it in [services]
    start  -- from 0 to 99: services are started in this order, and stopped in the reverse one
    script -- a file beside the recipe: the start script, which is called with `start` or `stop`
    run    -- a program that stays in the foreground, with its arguments
    user   -- account that the program of `run` runs as
    """

    name: str
    start: int
    script: str = ""
    run: tuple[str, ...] = ()
    user: str = "root"

    @property
    def path(self) -> str:
        """Where the start script is on the target, without a leading slash."""
        return f"etc/init.d/S{self.start:02}{self.name}"


@record
class Config(Record):
    """A file beside the recipe that configures the package on the target.

    path -- where it is there, without a leading slash
    """

    file: str
    path: str
    mode: str = "0644"


@record
class Part(Record):
    """Files for the target that are in another part than their folder suggests.

    name  -- `libs`, `programs`, or a name of the recipe's own, which others need as PACKAGE:NAME
    paths -- wildcards like those of a recipe's `drop`
    """

    name: str
    paths: tuple[str, ...]
