"""Checks of start scripts that the engine has written: the programs that they run, and as whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quard.base.errors import QuardError
from quard.base.names import meant, nearest
from quard.base.plain import short
from quard.image.accounts import Accounts
from quard.image.tree import Tree

_PROGRAMS = ("usr/bin/", "usr/sbin/", "usr/libexec/")
_CORRECT = "correct `run` of the service in the recipe, or add the package that installs it"
Start = tuple[str, str, str]
"""The path of a start script, its program with a leading slash, and the program's user."""


def errors(tree: Tree, starts: Iterable[Start]) -> Iterator[QuardError]:
    """Yield an error service-program for each program that the guest could not start."""
    for path, place, program, _ in _own(tree, starts):
        try:
            node = tree.nodes.get(tree.resolve(program))
        except QuardError:
            continue  # a loop of links, which `check` reports
        if node is not None and node.kind == "file" and node.mode & 0o111:
            continue
        fault = "is not in the image" if node is None else "is no program"
        yield QuardError(
            f"{short(program)}, which /{path} of {tree.owners[place]} starts, {fault}",
            reason="service-program",
            hint=_meant(program, tree) if node is None else _CORRECT,
        )


def _meant(program: str, tree: Tree) -> str:
    """Return the hint for a program that is missing: another spelling or folder may be meant."""
    programs = {
        path.rpartition("/")[2]: f"/{path}"
        for path, node in sorted(tree.nodes.items())
        if path.startswith(_PROGRAMS)
        and (node.kind == "link" or (node.kind == "file" and node.mode & 0o111))
    }
    found = nearest(program.rpartition("/")[2], programs)
    return f"did you mean {programs[found[0]]!r}?" if found else _CORRECT


def strangers(tree: Tree, starts: Iterable[Start], people: Accounts) -> Iterator[QuardError]:
    """Yield an error unknown-user for each program whose user the image does not have."""
    known = sorted(user.name for user in people.users)
    for path, place, _, user in _own(tree, starts):
        if user not in known:
            yield QuardError(
                f"/{path} of {tree.owners[place]} names the user {user!r}, which the image does"
                " not have",
                detail=f"known: {', '.join(known)}",
                reason="unknown-user",
                hint=meant(
                    user, known, "add it to `users` of the recipe, or to the system's table"
                ),
            )


def _own(tree: Tree, starts: Iterable[Start]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (path, place in the tree, program, user) of each script that is as it was written.

    A script of an overlay, instead of the one written, runs what it likes.
    """
    for path, program, user in starts:
        place = tree.canonical(path)
        if place in tree.nodes and place not in tree.replaced:
            yield path, place, program, user
