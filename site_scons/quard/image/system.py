"""The base system as data: `configs/system/NAME.toml`, for what no package or overlay contains.

dangling = ["/etc/localtime"]   # links that may dangle

[[user]]                        # shell, home, gecos and password may be left out
name = "root"
uid = 0
gid = "root"                    # name of the group
home = "/root"
shell = "/bin/sh"
password = "*"                  # locked; "" is none; else a crypt(5) hash

[[group]]
name = "audio"
gid = 29
members = ["daemon"]            # may be left out

[[directory]]                   # made unless it is there; owner and group default to root
path = "/srv"
mode = "0750"
group = "audio"

[[device]]                      # type "c" or "b"
path = "/dev/console"
type = "c"
major = 5
minor = 1
mode = "0600"

[[link]]
path = "/etc/mtab"
target = "../proc/mounts"

[[permission]]                  # the path may contain shell wildcards, as in a recipe
path = "/etc/secrets/*"
mode = "0600"
capabilities = "cap_chown+ep"   # of a program, as setcap(8) takes them; may be left out
xattrs.user.origin = "x"        # likewise: further extended attributes
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from quard.base import xattrs
from quard.base.names import meant
from quard.base.plain import is_printable
from quard.base.record import Record, record
from quard.base.table import Table, read
from quard.base.xattrs import Attributes
from quard.image.accounts import Account, Group, bad_field, bad_password
from quard.installed import USER

REASON = "bad-system-table"
DeviceKind = Literal["char", "block"]
_MODE = re.compile(r"[0-7]?[0-7]{3}")
_HIGHEST_ID = 65534
"""The number of nobody, by convention."""
_HIGHEST_MAJOR, _HIGHEST_MINOR = 0xFFF, 0xFFFFF
"""Linux has 12 bits for the one and 20 bits for the other (MINORBITS of <linux/kdev_t.h>)."""


@record
class Access(Record):
    """Owner, group, mode and extended attributes of a path.

    mode -- four octal digits as a number
    """

    mode: int
    owner: str
    group: str
    attributes: Attributes = ()


@record
class Device(Record):
    """A device file; in a running system /dev is devtmpfs, so few are needed: the console."""

    kind: DeviceKind
    major: int
    minor: int
    access: Access


@record
class System(Record):
    """A parsed table. Pairs start with the absolute path, in the order of the file.

    dangling -- paths of links whose targets need not be in the image
    """

    users: tuple[Account, ...]
    groups: tuple[Group, ...]
    directories: tuple[tuple[str, Access], ...]
    devices: tuple[tuple[str, Device], ...]
    links: tuple[tuple[str, str], ...]
    permissions: tuple[tuple[str, Access], ...]
    dangling: tuple[str, ...]

    @property
    def folders(self) -> frozenset[str]:
        """The paths below the root of the folders whose modes are in the table."""
        return frozenset(path[1:] for path, _ in self.directories)


def load(path: Path, file: str = "") -> System:
    """Return the system in a file. Raises QuardError bad-system-table with file, table and key.

    file -- what messages call the file; "": its path from two folders above
    """
    file = file or f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
    table = read(path, file, REASON)
    groups = _groups(table.tables("group"))
    users = _users(table, {group.name: group.gid for group in groups})
    system = System(
        users=users,
        groups=groups,
        directories=_accesses(table.tables("directory"), _access),
        devices=tuple(_device(inner) for inner in table.tables("device")),
        links=tuple(_link(inner) for inner in table.tables("link")),
        permissions=_accesses(table.tables("permission"), _permission),
        dangling=tuple(_path(table, "dangling", path) for path in table.texts("dangling", ())),
    )
    table.finish()
    return system


def parse_mode(text: str) -> int | None:
    """Return the number of three or four octal digits; None if `text` is anything else."""
    return int(text, 8) if _MODE.fullmatch(text) else None


def _groups(tables: Iterable[Table]) -> tuple[Group, ...]:
    groups: list[Group] = []
    names: dict[str, str] = {}
    numbers: dict[int, str] = {}
    for table in tables:
        group = Group(
            name=_name(table, names),
            gid=_unique(table, "gid", numbers),
            members=table.texts("members", ()),
        )
        numbers[group.gid] = names[group.name] = group.name
        groups.append(group)
        table.finish()
    return tuple(groups)


def _users(top: Table, groups: Mapping[str, int]) -> tuple[Account, ...]:
    users: list[Account] = []
    names: dict[str, str] = {}
    numbers: dict[int, str] = {}
    for table in top.tables("user"):
        account = _user(table, names, numbers, groups)
        numbers[account.uid] = names[account.name] = account.name
        users.append(account)
        table.finish()
    if names.get("root") is None or numbers.get(0) != "root":
        raise top.error("user", "lacks root with uid 0")
    return tuple(users)


def _user(
    table: Table, names: Mapping[str, str], numbers: Mapping[int, str], groups: Mapping[str, int]
) -> Account:
    account = Account(
        name=_name(table, names),
        uid=_unique(table, "uid", numbers),
        gid=_group_number(table, groups),
        home=table.text("home", "/"),
        shell=table.text("shell", "/bin/false"),
        gecos=table.text("gecos", ""),
        password=table.text("password", "*"),
    )
    for key in ("home", "shell", "gecos"):
        if problem := bad_field(getattr(account, key)):
            raise table.error(key, problem)
    if wrong := bad_password(account.password):
        raise table.error("password", wrong[0], wrong[1])
    return account


def _name(table: Table, taken: Mapping[str, str]) -> str:
    name = table.text("name")
    if not re.fullmatch(USER, name):
        raise table.error("name", f"must be lower-case letters, digits, - and _, not {name!r}")
    if name in taken:
        raise table.error("name", f"repeats {name!r}")
    return name


def _unique(table: Table, key: str, taken: Mapping[int, str]) -> int:
    number = _number(table, key, _HIGHEST_ID)
    if number in taken:
        raise table.error(key, f"is {number}, which {taken[number]} already has")
    return number


def _group_number(table: Table, groups: Mapping[str, int]) -> int:
    name = table.text("gid")
    if name in groups:
        return groups[name]
    hint = meant(name, groups, "add a [[group]]")
    raise table.error("gid", f"names the group {name!r}, which the file does not define", hint)


def _accesses(
    tables: Iterable[Table], taken: Callable[[Table], Access]
) -> tuple[tuple[str, Access], ...]:
    found: list[tuple[str, Access]] = []
    for table in tables:
        path = _path(table, "path", table.text("path"))
        if any(path == other for other, _ in found):
            raise table.error("path", f"repeats {path!r}")
        found.append((path, taken(table)))
        table.finish()
    return tuple(found)


def _access(table: Table) -> Access:
    text = table.text("mode")
    mode = parse_mode(text)
    if mode is None:
        raise table.error("mode", f"must be octal digits such as 0755, not {text!r}")
    return Access(mode, table.text("owner", "root"), table.text("group", "root"))


def _permission(table: Table) -> Access:
    access = _access(table)
    given = table.text("capabilities", "")
    pairs = tuple(_pairs(table, table.table("xattrs").rest()))
    for key, text in xattrs.problems(access.mode, given, pairs):
        raise table.error(key, f"cannot be used: {text}")
    return replace(access, attributes=xattrs.encode(given, pairs))


def _pairs(table: Table, found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and value of attributes: to TOML, `user.x` without quotes is `x` in a table."""
    for key, value in sorted(found.items()):
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _pairs(table, value, f"{name}.")
        elif isinstance(value, str):
            yield name, value
        else:
            raise table.error("xattrs", f"has {name}, which must be a string, not {value!r}")


def _device(table: Table) -> tuple[str, Device]:
    path = _path(table, "path", table.text("path"))
    kind = table.text("type")
    if kind not in ("c", "b"):
        raise table.error("type", f'must be "c" or "b", not {kind!r}')
    device = Device(
        kind="char" if kind == "c" else "block",
        major=_number(table, "major", _HIGHEST_MAJOR),
        minor=_number(table, "minor", _HIGHEST_MINOR),
        access=_access(table),
    )
    table.finish()
    return path, device


def _link(table: Table) -> tuple[str, str]:
    path, target = _path(table, "path", table.text("path")), table.text("target")
    if not target or not is_printable(target):
        raise table.error("target", f"must be a path, not {target!r}")
    table.finish()
    return path, target


def _path(table: Table, key: str, path: str) -> str:
    parts = path.split("/")
    if parts[0] != "" or len(parts) < 2 or any(part in ("", ".", "..") for part in parts[1:]):
        raise table.error(key, f"must be an absolute, plain path, not {path!r}")
    return path


def _number(table: Table, key: str, highest: int) -> int:
    number = table.number(key)
    if not 0 <= number <= highest:
        raise table.error(key, f"must be from 0 to {highest}, not {number}")
    return number
