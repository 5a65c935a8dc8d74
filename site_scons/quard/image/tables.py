"""Checks of tables in the image, according to the programs that read them in the guest.

Formats: inittab of busybox init, fstab(5), mdev.conf of busybox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from quard.base.errors import QuardError
from quard.image.accounts import Accounts
from quard.image.tree import Tree

_INIT = "usr/sbin/init"
_ACTIONS = frozenset(
    ("sysinit", "wait", "once", "respawn", "askfirst", "ctrlaltdel", "shutdown", "restart")
)
_MOST = 1 << 20
_MODE = re.compile(r"[0-7]{3,4}")
_FIELD = re.compile(r"[^ \t]+")


def errors(tree: Tree, people: Accounts) -> Iterator[QuardError]:
    """Yield an error bad-guest-table for each line that would have no effect or a wrong one."""
    if _is_busybox(tree):
        yield from _inittab(tree)
        yield from _mdev(tree, people)
    yield from _fstab(tree)


def _is_busybox(tree: Tree) -> bool:
    try:
        return tree.resolve(_INIT).endswith("/busybox")
    except QuardError:
        return False  # a loop of links, which `check` reports


def _lines(tree: Tree, path: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not empty or a comment."""
    node = tree.nodes.get(path)
    if node is None or node.content is None:
        return
    text = node.content.read(_MOST).decode(errors="replace")
    for number, line in enumerate(text.split("\n"), 1):
        if (said := line.strip(" \t\r")) and not said.startswith("#"):
            yield number, said


def _wrong(tree: Tree, path: str, number: int, what: str, hint: str) -> QuardError:
    return QuardError(
        f"/{path} of {tree.owners[path]}, line {number}: {what}",
        reason="bad-guest-table",
        hint=hint,
    )


def _inittab(tree: Tree) -> Iterator[QuardError]:
    path, hint = "etc/inittab", "a line is ID:RUNLEVELS:ACTION:PROGRAM ARGUMENTS"
    for number, line in _lines(tree, path):
        fields = line.split(":", 3)
        if len(fields) < 4 or not fields[3].strip(" \t"):
            yield _wrong(tree, path, number, "has fewer than four fields", hint)
        elif fields[2] not in _ACTIONS:
            what = f"busybox init has no action {fields[2]!r}"
            yield _wrong(tree, path, number, what, f"it knows {', '.join(sorted(_ACTIONS))}")
        else:
            program = _FIELD.findall(fields[3])[0].removeprefix("-")
            if program.startswith("/"):
                yield from _program(tree, path, number, program)


def _program(tree: Tree, path: str, number: int, program: str) -> Iterator[QuardError]:
    try:
        node = tree.nodes.get(tree.resolve(program))
    except QuardError:
        return
    if node is None or node.kind != "file":
        what = f"{program} is not in the image"
        yield _wrong(tree, path, number, what, "add the package that installs it, or correct it")
    elif not node.mode & 0o111:
        yield _wrong(tree, path, number, f"{program} is not executable", "chmod +x it")


def _fstab(tree: Tree) -> Iterator[QuardError]:
    path, hint = "etc/fstab", "a line is DEVICE FOLDER TYPE OPTIONS, then two numbers or none"
    for number, line in _lines(tree, path):
        fields = _FIELD.findall(line)
        if not 4 <= len(fields) <= 6:
            yield _wrong(tree, path, number, f"has {len(fields)} fields", hint)
        elif not fields[1].startswith("/") and fields[1] not in ("none", "swap"):
            yield _wrong(tree, path, number, f"{fields[1]!r} is not an absolute path", hint)
        elif not all(field.isdecimal() for field in fields[4:]):
            yield _wrong(tree, path, number, "its last fields are not numbers", hint)


def _mdev(tree: Tree, people: Accounts) -> Iterator[QuardError]:
    path, hint = "etc/mdev.conf", "a line is NAME USER:GROUP MODE, then an action or none"
    users = {user.name for user in people.users}
    groups = {group.name for group in people.groups}
    for number, line in _lines(tree, path):
        fields = _FIELD.findall(line)
        user, colon, group = fields[1].partition(":") if len(fields) > 1 else ("", "", "")
        if len(fields) < 3 or not colon:
            yield _wrong(tree, path, number, "lacks owner or mode", hint)
        elif not _MODE.fullmatch(fields[2]):
            yield _wrong(tree, path, number, f"{fields[2]!r} is not a mode", hint)
        elif not (user.isdecimal() or user in users):
            yield _wrong(tree, path, number, f"there is no user {user!r}", "add a [[user]]")
        elif not (group.isdecimal() or group in groups):
            yield _wrong(tree, path, number, f"there is no group {group!r}", "add a [[group]]")
