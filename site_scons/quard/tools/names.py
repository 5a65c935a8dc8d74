"""The names of the pinned tools, `configs/tools/names.toml`: what the lock is resolved from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from quard.base.names import NAME
from quard.base.record import Record, record
from quard.base.table import Table, read
from quard.tools.place import FILE

REASON = "bad-tools"
_LISTS = (
    *("common", "build", "further", "python", "menuconfig", "terminals", "machine", "emulators"),
    *("debug", "launchers"),
)


@record(kw_only=True)
class Names(Record):
    """Names of Debian packages, by what they are for.

    release    -- Debian's name of the release
    common     -- what every build sees
    build      -- what builds for the build machine see besides
    further    -- owners of commands that recipes name in `tools`
    python     -- modules that every build sees that sees python3
    menuconfig -- what the Kconfig editor is compiled with
    terminals  -- descriptions of terminals
    machine    -- what runs outside of builds
    emulators  -- what emulates machines, fetched when one of them is started
    debug      -- what debugging needs besides
    launchers  -- programs that a compiler can be started through
    targets    -- triple -> cross compiler and C library
    omit       -- packages that are left out although others need them
    links      -- path in the root -> text of the link that is made there
    commands   -- command -> the package that stands for it, not the one whose file it is
    """

    release: str
    common: tuple[str, ...]
    build: tuple[str, ...]
    further: tuple[str, ...]
    python: tuple[str, ...]
    menuconfig: tuple[str, ...]
    terminals: tuple[str, ...]
    machine: tuple[str, ...]
    emulators: tuple[str, ...]
    debug: tuple[str, ...]
    launchers: tuple[str, ...]
    targets: Mapping[str, tuple[str, ...]]
    omit: frozenset[str]
    links: Mapping[str, str]
    commands: Mapping[str, str]

    def lists(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each list of packages with its name in the file."""
        yield from ((name, getattr(self, name)) for name in _LISTS)
        yield from ((f"targets.{triple}", self.targets[triple]) for triple in sorted(self.targets))

    @property
    def all(self) -> tuple[str, ...]:
        """All packages that are named, sorted."""
        return tuple(sorted({name for _, names in self.lists() for name in names}))


def load(project: Path, targets: Mapping[str, tuple[str, ...]] | None = None) -> Names:
    """Return the names of the project's pinned tools, and those of targets.

    targets -- see `Names`; the files of targets have them (quard.boards.targets)
    Raises QuardError bad-tools.
    """
    table = read(project / FILE, FILE, REASON)
    names = Names(
        release=_name(table, "release", table.text("release")),
        targets=targets or {},
        omit=frozenset(_packages(table, "omit", table.texts("omit", ()))),
        links=_links(table.table("links")),
        commands=_commands(table.table("commands")),
        **{each: _packages(table, each, table.texts(each)) for each in _LISTS},
    )
    table.finish()
    _check(table, names)
    return names


def _check(table: Table, names: Names) -> None:
    """Reject names that contradict each other."""
    listed = frozenset(names.all)
    if both := sorted(names.omit & listed):
        raise table.error("omit", f"contains {both[0]}, which a list names")
    if strange := sorted(set(names.commands.values()) - listed):
        raise table.error("commands", f"gives {strange[0]}, which no list names")


def _packages(table: Table, key: str, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        _name(table, key, name)
        if names.count(name) > 1:
            raise table.error(key, f"contains {name} twice")
    return tuple(sorted(names))


def _name(table: Table, key: str, name: str) -> str:
    if not NAME.match(name):
        raise table.error(key, f"contains {name!r}, which is not a name that Debian allows")
    return name


def _links(table: Table) -> dict[str, str]:
    found = {path: table.text(path) for path in table.names()}
    for path, target in found.items():
        pieces = path.split("/")
        if pieces[0] != "usr" or len(pieces) < 2 or {"", ".", ".."} & {*pieces}:
            raise table.error(path, "is not a path below usr")
        if not target or "" in target.split("/"):
            raise table.error(path, f"leads to {target!r}, which is not a relative path")
    return found


def _commands(table: Table) -> dict[str, str]:
    return {name: _name(table, name, table.text(name)) for name in table.names()}
