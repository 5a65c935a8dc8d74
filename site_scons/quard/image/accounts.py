"""Accounts of the target: those in the system's table and those that recipes request.

Formats: passwd(5), group(5), shadow(5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from quard.base.errors import QuardError
from quard.base.names import meant
from quard.base.plain import is_printable
from quard.base.record import Record, record
from quard.installed import User

Key = TypeVar("Key", str, int)
_SYSTEM = "the system table"
_HASH = re.compile(r"\$[a-z0-9]+\$[./A-Za-z0-9$=,+-]+")


@record
class Account(Record):
    """One line of passwd; password -- "" for none, "*" for locked, or a crypt(5) hash."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    gecos: str
    password: str


@record
class Group(Record):
    """One line of group."""

    name: str
    gid: int
    members: tuple[str, ...]


@record
class Accounts(Record):
    """All of an image's accounts, sorted by number."""

    users: tuple[Account, ...]
    groups: tuple[Group, ...]

    def uid(self, name: str, where: str) -> int:
        """Return a user's number; `where` is the origin, for the error unknown-user."""
        return _lookup("user", name, {user.name: user.uid for user in self.users}, where)

    def gid(self, name: str, where: str) -> int:
        """Return a group's number; `where` is the origin, for the error unknown-user."""
        return _lookup("group", name, {group.name: group.gid for group in self.groups}, where)

    def passwd(self) -> str:
        """Return the text of /etc/passwd; the passwords are in shadow."""
        return "".join(
            f"{user.name}:x:{user.uid}:{user.gid}:{user.gecos}:{user.home}:{user.shell}\n"
            for user in self.users
        )

    def group(self) -> str:
        """Return the text of /etc/group."""
        return "".join(
            f"{group.name}:x:{group.gid}:{','.join(group.members)}\n" for group in self.groups
        )

    def shadow(self) -> str:
        """Return the text of /etc/shadow.

        The day of the last change is empty, which turns ageing off (shadow(5)): a date would
        depend on the build's clock, and 0 would force a new password at the first login. The other
        numbers are the defaults of login.defs; without them, busybox's login refuses an empty
        password.
        """
        return "".join(f"{user.name}:{user.password}::0:99999:7:::\n" for user in self.users)


def merge(
    users: Sequence[Account],
    groups: Sequence[Group],
    wanted: Sequence[tuple[str, User]],
    root_password: str,
) -> Accounts:
    """Return the accounts of the table plus those of the packages, as (package, user).

    Raises QuardError: user-clash, bad-user, bad-password, unknown-user (a group's member).
    """
    if problem := bad_password(root_password):
        raise QuardError(f"root's password {problem[0]}", reason="bad-password", hint=problem[1])
    merged = [
        replace(user, password=root_password) if user.name == "root" else user for user in users
    ]
    joined = list(groups)
    names = {user.name: _SYSTEM for user in users} | {group.name: _SYSTEM for group in groups}
    uids = {user.uid: _SYSTEM for user in users}
    gids = {group.gid: _SYSTEM for group in groups}
    for package, user in sorted(wanted, key=lambda pair: (pair[1].name, pair[0])):
        _check(package, user)
        _claim(names, user.name, f"name {user.name!r}", package)
        _claim(uids, user.uid, f"user number {user.uid}", package)
        _claim(gids, user.uid, f"group number {user.uid}", package)
        merged.append(
            Account(user.name, user.uid, user.uid, user.home, user.shell, user.gecos, "*")
        )
        joined.append(Group(user.name, user.uid, ()))
    known = {user.name: user.uid for user in merged}
    for group in joined:
        for member in group.members:
            _lookup("user", member, known, f"group {group.name}")
    merged.sort(key=lambda user: user.uid)
    joined.sort(key=lambda group: group.gid)
    return Accounts(tuple(merged), tuple(joined))


def bad_password(text: str) -> tuple[str, str] | None:
    """Return (error, hint) unless `text` is empty, "*" or a crypt(5) hash."""
    if text in ("", "*") or _HASH.fullmatch(text):
        return None
    return (
        'must be "", "*" or a crypt(5) hash',
        "make one with: openssl passwd -6",
    )


def bad_field(text: str) -> str:
    """Return what is wrong with a field of passwd, "" if nothing."""
    if ":" in text or not is_printable(text):
        return f"must not contain a colon or a control character, not {text!r}"
    return ""


def _check(package: str, user: User) -> None:
    for field in (user.name, user.home, user.shell, user.gecos):
        if problem := bad_field(field):
            raise QuardError(
                f"package {package}: user {user.name!r} has a field that {problem}",
                reason="bad-user",
                hint=f"correct the recipe of {package}",
            )


def _claim(taken: dict[Key, str], key: Key, shown: str, package: str) -> None:
    if key in taken:
        raise QuardError(
            f"{shown} is requested by both {taken[key]} and {package}",
            reason="user-clash",
            hint=f"give the user of {package} another one in its recipe",
        )
    taken[key] = package


def _lookup(kind: str, name: str, numbers: dict[str, int], where: str) -> int:
    if name in numbers:
        return numbers[name]
    raise QuardError(
        f"{where} names the {kind} {name!r}, which the image does not have",
        detail="known: " + ", ".join(sorted(numbers)),
        reason="unknown-user",
        hint=meant(name, numbers, "add it to the system's table"),
    )
