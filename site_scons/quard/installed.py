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
    """Owner and mode of installed paths; `path` is absolute and may contain shell wildcards."""

    path: str
    mode: str
    owner: str = "root"
    group: str = "root"


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
class Part(Record):
    """Files for the target that are in another part than their folder suggests.

    name  -- `libs`, `programs`, or a name of the recipe's own, which others need as PACKAGE:NAME
    paths -- wildcards like those of a recipe's `drop`
    """

    name: str
    paths: tuple[str, ...]
