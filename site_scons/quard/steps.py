"""The steps of a build as recipes write them; part of the vocabulary in quard.model."""

from __future__ import annotations

from quard.base.record import Record, record


class Run(tuple[str, ...]):
    """One command: an argument vector, run in the source folder without a shell."""

    __slots__ = ()

    def __new__(cls, *argv: str) -> Run:
        return super().__new__(cls, argv)

    def __getnewargs__(self) -> tuple[str, ...]:
        """Return the arguments that create an equal command, for copying and pickling."""
        return tuple(self)


@record
class Template(Record):
    """A file beside the recipe that is installed with its placeholders replaced."""

    file: str


@record
class Install(Record):
    """Copy one file of the source or of the recipe into the staging folder.

    source      -- path below the source folder, `{files}/...`, or a Template
    destination -- path below the staging folder, without a leading slash
    """

    source: str | Template
    destination: str
    mode: str = "0644"


@record
class Symlink(Record):
    """Make a symbolic link in the staging folder; `path` is without a leading slash."""

    path: str
    target: str


Step = Run | Install | Symlink
