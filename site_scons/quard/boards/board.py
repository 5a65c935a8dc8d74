"""A board: what to build, and for which machine, read from `configs/NAME.toml`."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from quard.base.names import NAME, unknown
from quard.base.table import Table, read
from quard.boards.keys import authorized_keys
from quard.hardening import CHECKED, FORTIFY, WORDS, Hardening
from quard.model import Unhardened
from quard.target import Target, target

Choice = Literal["on", "off", "if-available"]
FORMATS = ("ext4", "squashfs", "cpio.gz")
_REASON = "bad-board"
_DATA_MIB = 256
_LEAST_DATA_MIB = 8
"""mke2fs(8) creates no journal in a smaller file system."""
_PERSISTENT = re.compile(r"(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*|/\.[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+")
"""Paths that need no escaping in options of mount(8) and in a list of one path per line."""
_MOUNTED = ("/data", "/dev", "/mnt", "/proc", "/run", "/sys", "/tmp", "/var/log")
"""Paths where the guest mounts other file systems."""


@dataclass(frozen=True, kw_only=True)
class BoardToolchain:
    """The cross compiler.

    prefix -- of its commands, as in riscv64-linux-gnu-
    folder -- where it is installed (its `bin` holds the commands); "" for the machine's compiler
    """

    prefix: str
    folder: str


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who may log in.

    root_password   -- root's entry in shadow(5): a crypt(5) hash, "*" to lock it, or "" for a
                       console that asks for no password (sshd never accepts passwords)
    authorized_keys -- public keys that may log in as root over the network
    """

    root_password: str
    authorized_keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Data:
    """The data disk, mounted at /data, which is kept when images are replaced.

    size_mib   -- of its ext4 file system; 0: no data disk
    persistent -- absolute paths of folders and files whose changes are kept there
    """

    size_mib: int
    persistent: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Board:
    """The content of a board's file.

    packages  -- packages requested by name; their dependencies are added
    hardening -- defences that programs are built with
    unhardened -- files that may lack some of them, mainly from overlays
    features  -- (package, feature) -> choice; others have the recipe's default
    fragments -- package -> further Kconfig fragments, paths below the project
    overlays  -- folders laid over the packages' files, in this order
    formats   -- file systems to make from rootfs.tar
    size_mib  -- of the ext4 file system; 0: it is sized by its content
    """

    name: str
    summary: str
    target: Target
    toolchain: BoardToolchain
    cflags: str
    hardening: Hardening
    unhardened: tuple[Unhardened, ...]
    machine: str
    system: str
    hostname: str
    packages: tuple[str, ...]
    features: Mapping[tuple[str, str], Choice]
    fragments: Mapping[str, tuple[str, ...]]
    overlays: tuple[str, ...]
    login: Login
    formats: tuple[str, ...]
    size_mib: int
    data: Data


def names(configs: Path) -> tuple[str, ...]:
    """Return the boards' names, sorted."""
    return tuple(sorted(path.stem for path in configs.glob("*.toml")))


def load(configs: Path, name: str) -> Board:
    """Return a board. Raises QuardError: unknown-board, bad-board, unknown-target."""
    path = configs / f"{name}.toml"
    if not NAME.match(name) or not os.path.lexists(path):
        raise unknown("board", name, names(configs), "add configs/NAME.toml")
    table = read(path, f"configs/{name}.toml", _REASON)
    board = _board(name, table)
    table.finish()
    return board


def _board(name: str, table: Table) -> Board:
    triple = target(table.text("target"))
    image = table.table("image")
    formats = image.texts("formats", FORMATS)
    for chosen in formats:
        if chosen not in FORMATS:
            raise image.error("formats", f"knows {', '.join(FORMATS)}, not {chosen!r}")
    size = image.number("size_mib", 0)
    if size < 0:
        raise image.error("size_mib", "must not be negative")
    image.finish()
    login = table.table("login")
    board = Board(
        name=name,
        summary=table.text("summary"),
        target=triple,
        toolchain=_toolchain(table.table("toolchain"), triple),
        cflags=_flags(table.table("flags")),
        hardening=_hardening(table.table("hardening")),
        unhardened=tuple(_unhardened(inner) for inner in table.tables("unhardened")),
        machine=table.text("machine"),
        system=table.text("system", "base"),
        hostname=table.text("hostname", name),
        packages=table.texts("packages"),
        features=_features(table.table("features")),
        fragments=_fragments(table.table("fragments")),
        overlays=_paths(table, "overlays", ("rootfs",)),
        login=Login(
            root_password=login.text("root_password", "*"),
            authorized_keys=authorized_keys(login),
        ),
        formats=formats,
        size_mib=size,
        data=_data(table.table("data")),
    )
    login.finish()
    return board


def _toolchain(table: Table, triple: Target) -> BoardToolchain:
    toolchain = BoardToolchain(
        prefix=table.text("prefix", triple.triple + "-"), folder=table.text("folder", "")
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
            raise table.error("persistent", f"names {other}, which {one} holds already")
    return data


def _check_persistent(table: Table, path: str) -> None:
    if not _PERSISTENT.fullmatch(path):
        form = "must hold absolute paths of letters, digits and . _ + -"
        raise table.error("persistent", f"{form}, not {path!r}")
    for mounted in _MOUNTED:
        if f"{mounted}/".startswith(f"{path}/") or path.startswith(f"{mounted}/"):
            text = f"cannot hold {path}: the guest mounts something else at {mounted}"
            raise table.error("persistent", text)


def _flags(table: Table) -> str:
    flags = table.text("c", "-O2")
    table.finish()
    return flags


def _hardening(table: Table) -> Hardening:
    chosen: dict[str, Any] = {n: table.flag(n, True) for n in WORDS if n != "fortify"}
    level = table.number("fortify", FORTIFY)
    if not 0 <= level <= FORTIFY:
        raise table.error("fortify", f"must be a level from 0 to {FORTIFY}, not {level}")
    table.finish()
    return Hardening(**chosen, fortify=level)


def _unhardened(table: Table) -> Unhardened:
    found = Unhardened(
        path=table.text("path"), lacks=table.texts("lacks"), reason=table.text("reason")
    )
    table.finish()
    if not found.path.startswith("/"):
        raise table.error("path", "must begin with /")
    if not found.lacks or not {*found.lacks} <= {*CHECKED}:
        raise table.error("lacks", f"must be some of {', '.join(CHECKED)}")
    if not found.reason.strip():
        raise table.error("reason", "must say why")
    return found


def _features(table: Table) -> dict[tuple[str, str], Choice]:
    choices: dict[tuple[str, str], Choice] = {}
    for package in table.names():
        inner = table.table(package)
        for feature in inner.names():
            match inner.value(feature):
                case True:
                    choices[package, feature] = "on"
                case False:
                    choices[package, feature] = "off"
                case "if-available":
                    choices[package, feature] = "if-available"
                case other:
                    raise inner.error(
                        feature, f'must be true, false or "if-available", not {other!r}'
                    )
    return choices


def _fragments(table: Table) -> dict[str, tuple[str, ...]]:
    return {package: _paths(table, package) for package in table.names()}


def _paths(table: Table, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Return paths, which must be below the project, where all users have the same files."""
    paths = table.texts(key, default)
    for path in paths:
        if not path or path.startswith("/") or ".." in path.split("/"):
            hint = "a link below the checkout may lead elsewhere: docs/adding-a-package.md"
            raise table.error(key, f"must hold paths below the checkout, not {path!r}", hint)
    return paths
