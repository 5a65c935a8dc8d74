"""A board: what to build, and for which machine, read from `configs/NAME.toml`."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from quard.base.errors import QuardError
from quard.base.names import NAME, unknown
from quard.base.record import Record, record
from quard.base.table import Table, read
from quard.boards import root, tables
from quard.boards.configuration import BoardToolchain, Choice, Configuration
from quard.boards.keys import authorized_keys
from quard.boards.native import NAME as BUILD
from quard.boards.root import Login, Root
from quard.boards.targets import target
from quard.boards.trees import OWN, Trees, parted, placed
from quard.hardening import FORTIFY, WORDS, Hardening
from quard.installed import Unhardened
from quard.target import Target

if TYPE_CHECKING:
    from quard.boards.hooks import Hooks
    from quard.boards.override import Override

_REASON = "bad-board"
_OVERLAYS = (f"{OWN}:rootfs",)
_DATA_MIB = 256
_LEAST_DATA_MIB = 8
"""mke2fs(8) creates no journal in a smaller file system."""
_PERSISTENT = re.compile(r"(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*|/\.[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+")
"""Paths that need no escaping in options of mount(8) and in a list of one path per line."""
_OVERRIDES = ("sources", "patches", "files", "defconfigs", "devicetrees")
"""Keys with what packages are built from, each a table with the names of packages."""
_MOUNTED = ("/data", "/dev", "/mnt", "/proc", "/run", "/sys", "/tmp", "/var/log")
"""Paths where the guest mounts other file systems."""


@record(kw_only=True)
class Data(Record):
    """The data disk, mounted at /data, which is kept when images are replaced.

    size_mib   -- of its ext4 file system; 0: no data disk
    persistent -- absolute paths of folders and files whose changes are kept there
    """

    size_mib: int
    persistent: tuple[str, ...]


@record(kw_only=True)
class Board(Record):
    """The content of a board's file.

    packages  -- packages requested by name; their dependencies are added
    libraries -- libraries of the toolchain that its own root has in any case
    hardening -- defences that programs are built with
    unhardened -- files that may lack some of them, mainly from overlays
    services  -- service of a package -> whether it is started; others are
    features  -- (package, feature) -> choice; others have the recipe's default
    fragments -- package -> further Kconfig fragments, as names of files
    overlays  -- folders laid over the packages' files, in this order, as names of folders
    formats   -- file systems to make from rootfs.tar
    size_mib  -- of the ext4 file system; 0: it is sized by its content
    hooks     -- scripts around the images of the board's own root; None: there are none
    roots     -- further root file systems, sorted by name
    overrides -- package -> what it is built from instead of what its recipe says
    tree      -- the tree of its file, see quard.boards.trees
    """

    name: str
    summary: str
    target: Target
    toolchain: BoardToolchain
    cflags: str
    hardening: Hardening
    unhardened: tuple[Unhardened, ...]
    services: Mapping[str, bool]
    machine: str
    system: str
    hostname: str
    packages: tuple[str, ...]
    libraries: tuple[str, ...]
    features: Mapping[tuple[str, str], Choice]
    fragments: Mapping[str, tuple[str, ...]]
    overlays: tuple[str, ...]
    login: Login
    formats: tuple[str, ...]
    size_mib: int
    data: Data
    hooks: Hooks | None = None
    roots: tuple[Root, ...] = ()
    overrides: Mapping[str, Override] = field(default_factory=dict)
    tree: str = ""

    @cached_property
    def configuration(self) -> Configuration:
        """How the packages of the board's own root are built."""
        return Configuration(
            name=self.name,
            folder="",
            target=self.target,
            toolchain=self.toolchain,
            cflags=self.cflags,
            hardening=self.hardening,
            features=self.features,
            fragments=self.fragments,
            overrides=self.overrides,
            tree=self.tree,
        )

    @cached_property
    def own(self) -> Root:
        """The board's own root file system."""
        return Root(
            board=self.name,
            name="",
            configuration=self.configuration,
            packages=self.packages,
            libraries=self.libraries,
            unhardened=self.unhardened,
            services=self.services,
            system=self.system,
            hostname=self.hostname,
            overlays=self.overlays,
            login=self.login,
            formats=self.formats,
            size_mib=self.size_mib,
            persistent=self.data.persistent if self.data.size_mib else None,
            hooks=self.hooks,
        )


def names(trees: Trees) -> tuple[str, ...]:
    """Return the names of the boards of all trees, sorted."""
    return trees.names("configs", ".toml")


def load(trees: Trees, name: str) -> Board:
    """Return a board of any tree.

    Raises QuardError: unknown-board, bad-board, and those of a target.
    """
    file = trees.find(f"configs/{name}.toml")
    path = trees.path(file) if NAME.match(name) else None
    if name == BUILD and path and os.path.lexists(path):
        raise QuardError(
            f"{file}: this name stands for the build machine",
            reason=_REASON,
            hint="give the board another name",
        )
    if path is None and name in names(trees):
        raise QuardError(
            f"{file}: {name!r} is not a valid name for a board",
            reason=_REASON,
            hint="use a-z, digits, + . and -",
        )
    if path is None or not os.path.lexists(path):
        raise unknown("board", name, names(trees), "add configs/NAME.toml")
    table = read(path, file, _REASON)
    if table.texts("include", ()):
        from quard.boards import include  # noqa: PLC0415 - few boards need it

        table = include.merged(trees, file)
    board = _board(name, parted(file)[0], table, target(table.text("target"), trees))
    table.finish()
    return board


def _board(name: str, tree: str, table: Table, triple: Target) -> Board:
    formats, size = tables.image(table.table("image"), tables.FORMATS)
    login = table.table("login")
    board = Board(
        name=name,
        summary=table.text("summary"),
        target=triple,
        toolchain=_toolchain(table.table("toolchain"), triple),
        cflags=tables.flags(table.table("flags"), "-O2"),
        hardening=_hardening(table.table("hardening")),
        unhardened=tables.unhardened(table.tables("unhardened")),
        services=tables.services(table.table("services")),
        machine=tables.name(table, "machine"),
        system=tables.name(table, "system", "base"),
        hostname=table.text("hostname", name),
        packages=table.texts("packages"),
        libraries=table.texts("libraries", ()),
        features=tables.features(table.table("features")),
        fragments=tables.fragments(table.table("fragments"), tree),
        overrides=_overrides(table, tree, placed(tree, f"configs/{name}.toml")),
        overlays=tables.paths(table, "overlays", tree, _OVERLAYS),
        login=Login(
            root_password=login.text("root_password", "*"),
            authorized_keys=authorized_keys(login),
        ),
        formats=formats,
        size_mib=size,
        data=_data(table.table("data")),
        hooks=root.hooks(table, tree),
        tree=tree,
    )
    login.finish()
    return replace(board, roots=root.named(table.table("roots"), board.own))


def _overrides(table: Table, tree: str, file: str) -> Mapping[str, Override]:
    found = {key: table.table(key) for key in _OVERRIDES}
    if not any(each.names() for each in found.values()):
        return {}
    from quard.boards.overrides import overrides  # noqa: PLC0415 - few boards need it

    return overrides(found, tree, file)


def _toolchain(table: Table, triple: Target) -> BoardToolchain:
    toolchain = BoardToolchain(
        prefix=table.text("prefix", triple.compiler + "-"), folder=table.text("folder", "")
    )
    table.finish()
    return toolchain


def _data(table: Table) -> Data:
    data = Data(
        size_mib=table.number("size_mib", _DATA_MIB), persistent=table.texts("persistent", ())
    )
    table.finish()
    if data.size_mib != 0 and data.size_mib < _LEAST_DATA_MIB:
        text = f"must be 0 (no data disk) or at least {_LEAST_DATA_MIB}, not {data.size_mib}"
        raise table.error("size_mib", text)
    if data.persistent and not data.size_mib:
        raise table.error("persistent", "needs a data disk, and data.size_mib is 0")
    for path in data.persistent:
        _check_persistent(table, path)
    for one, other in itertools.permutations(data.persistent, 2):
        if other == one or other.startswith(f"{one}/"):
            raise table.error("persistent", f"names {other}, which {one} already contains")
    return data


def _check_persistent(table: Table, path: str) -> None:
    if not _PERSISTENT.fullmatch(path):
        form = "must contain absolute paths of letters, digits and . _ + -"
        raise table.error("persistent", f"{form}, not {path!r}")
    for mounted in _MOUNTED:
        if f"{mounted}/".startswith(f"{path}/") or path.startswith(f"{mounted}/"):
            text = f"cannot contain {path}: the guest mounts something else at {mounted}"
            raise table.error("persistent", text)


def _hardening(table: Table) -> Hardening:
    chosen: dict[str, Any] = {n: table.flag(n, True) for n in WORDS if n != "fortify"}
    level = table.number("fortify", FORTIFY)
    if not 0 <= level <= FORTIFY:
        raise table.error("fortify", f"must be a level from 0 to {FORTIFY}, not {level}")
    table.finish()
    return Hardening(**chosen, fortify=level)
