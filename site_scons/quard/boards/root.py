"""A root: one root file system of a board, with its packages and how they are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from quard.base.names import NAME
from quard.base.record import Record, record
from quard.base.table import Table
from quard.boards import tables
from quard.boards.configuration import Configuration
from quard.boards.keys import authorized_keys
from quard.boards.trees import placed
from quard.installed import Unhardened

if TYPE_CHECKING:
    from quard.boards.hooks import Hooks

_FORMATS = ("cpio.gz",)
"""Formats of a named root whose table has none: it is mostly an initramfs."""
_TAKEN = frozenset(("build", "configure", "images", "shell", "store", "unfinished", "work"))
"""Names that no root can have: of other folders in `out`, and of the build machine."""


@record(kw_only=True)
class Login(Record):
    """Who may log in.

    root_password   -- root's entry in shadow(5): a crypt(5) hash, "*" to lock it, or "" for a
                       console that asks for no password (sshd never accepts passwords)
    authorized_keys -- public keys that may log in as root over the network
    """

    root_password: str
    authorized_keys: tuple[str, ...]


@record(kw_only=True)
class Root(Record):
    """What one root file system contains.

    board      -- the board's name
    name       -- "" for the board's own root
    packages   -- packages requested by name; their dependencies are added
    libraries  -- libraries of the toolchain that it has also if none of its files needs them
    unhardened -- files that may lack some defences, mainly from overlays
    services   -- service -> whether it is started; others of the packages are on the board's own
                  root, and not on a named one
    overlays   -- folders laid over the packages' files, in this order
    formats    -- file systems to make from rootfs.tar
    size_mib   -- of the ext4 file system; 0: it is sized by its content
    persistent -- paths whose changes the data disk keeps; None: it has no data disk
    hooks      -- scripts around its images; None: there are none
    """

    board: str
    name: str
    configuration: Configuration
    packages: tuple[str, ...]
    libraries: tuple[str, ...]
    unhardened: tuple[Unhardened, ...]
    services: Mapping[str, bool]
    system: str
    hostname: str
    overlays: tuple[str, ...]
    login: Login
    formats: tuple[str, ...]
    size_mib: int
    persistent: tuple[str, ...] | None
    hooks: Hooks | None = None

    @property
    def file(self) -> str:
        """The name of the board's file, see quard.boards.trees."""
        return placed(self.configuration.tree, f"configs/{self.board}.toml")


def named(table: Table, own: Root) -> tuple[Root, ...]:
    """Take the board's named roots, sorted by name.

    own -- the board's own root, whose values are the defaults of many keys
    """
    return tuple(_named(table, name, own) for name in table.names())


def _named(roots: Table, name: str, own: Root) -> Root:
    if not NAME.match(name):
        raise roots.error(name, "is not a valid root name", "use a-z, digits, + . and -")
    if name in _TAKEN:
        raise roots.error(name, "cannot name a root: it has another meaning", "use another name")
    table = roots.table(name)
    login = table.table("login")
    formats, size = tables.image(table.table("image"), _FORMATS)
    root = Root(
        board=own.board,
        name=name,
        configuration=_configuration(table, name, own.configuration),
        packages=table.texts("packages"),
        libraries=table.texts("libraries", ()),
        unhardened=tables.unhardened(table.tables("unhardened")),
        services=tables.services(table.table("services")),
        system=tables.name(table, "system", own.system),
        hostname=table.text("hostname", own.hostname),
        overlays=tables.paths(table, "overlays", own.configuration.tree, ()),
        login=Login(
            root_password=login.text("root_password", own.login.root_password),
            authorized_keys=authorized_keys(login, own.login.authorized_keys),
        ),
        formats=formats,
        size_mib=size,
        persistent=None,
        hooks=hooks(table, own.configuration.tree),
    )
    login.finish()
    table.finish()
    return root


def hooks(table: Table, tree: str) -> Hooks | None:
    """Take the hooks of a root; None if it has none."""
    found = table.table("hooks")
    if not found.names():
        return None
    from quard.boards import hooks  # noqa: PLC0415 - few boards have any

    return hooks.hooks(found, tree)


def _configuration(table: Table, name: str, own: Configuration) -> Configuration:
    """Return how a root's packages are built: as the board's, but for what its table says.

    `fragments` has only the root's own: see quard.boards.fragments.
    """
    return replace(
        own,
        name=f"{own.name}/{name}",
        folder=name,
        cflags=tables.flags(table.table("flags"), own.cflags),
        features={**own.features, **tables.features(table.table("features"))},
        fragments=tables.fragments(table.table("fragments"), own.tree),
    )
