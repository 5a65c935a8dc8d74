"""Checks of the programs that start scripts run which the engine has written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quard.base.errors import QuardError
from quard.base.plain import short
from quard.image.tree import Tree


def errors(tree: Tree, starts: Iterable[tuple[str, str]]) -> Iterator[QuardError]:
    """Yield an error service-program for each program that the guest could not start.

    starts -- path of the start script, and of its program with a leading slash
    A script of an overlay, instead of the one written, runs what it likes.
    """
    for path, program in starts:
        place = tree.canonical(path)
        if place in tree.replaced or place not in tree.nodes:
            continue
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
            hint="correct `run` of the service in the recipe, or add the package that installs it",
        )
