"""Resolving all roots of a board, and the packages for the build machine that they call for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from quard.base import given
from quard.boards.native import NAME
from quard.boards.root import Root
from quard.boards.trees import Trees
from quard.plan.kernel import Options
from quard.plan.natives import Natives
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.plan.source import Tree
from quard.project.rooted import naming

_ATTRIBUTES = (b"capabilities", b"xattrs")
"""Keys of a system's table. One that has neither gives no attributes, and is not parsed here."""


def resolve(
    resolvers: Mapping[str, Resolver],
    build: Callable[[Iterable[str]], Resolver],
    decided: Mapping[tuple[str, str], bool],
    trees: Mapping[str, Tree],
    extra: Iterable[tuple[str, str]] = (),
) -> dict[str, Resolved]:
    """Return the packages of each root with their plans.

    Those for the build machine come first, if there are any, then those of the board's own root.

    resolvers -- of the roots, by name
    build     -- returns the resolver of packages for the build machine, given their names
    extra     -- further packages, as (root, name)
    Raises QuardError, which names its root.
    """
    asked = [*extra]
    more = {root: [name for each, name in asked if each == root] for root in resolvers}
    wanted = {name for root, name in asked if root == NAME}
    for root, each in resolvers.items():
        with naming(root):
            wanted |= each.natives(decided, more[root])
    resolved: dict[str, Resolved] = {}
    natives = None
    if wanted:
        with naming(NAME):
            resolved[NAME] = found = build(wanted).resolve({}, trees)
        recipes = {name: package.recipe for name, package in found.packages.items()}
        natives = Natives(found.graph, recipes)
    options = _options(resolvers, decided)
    for root, each in resolvers.items():
        with naming(root):
            relied = options.get(root, ())
            resolved[root] = each.resolve(decided, trees, more[root], natives, relied)
    return resolved


def _options(
    resolvers: Mapping[str, Resolver], decided: Mapping[tuple[str, str], bool]
) -> dict[str, Options]:
    """Return the options that packages of other roots rely on in each root's kernel.

    Roots without a kernel of their own have the board's: their modules are built for that.
    """
    others: list[tuple[str, str]] = []
    guests: list[str] = []
    for root, each in resolvers.items():
        with naming(root):
            if root and not each.has_kernel(decided):
                guests.append(root)
                others += ((f"{root}/{name}", option) for name, option in each.options(decided))
    if not guests:
        return {}
    shared = (*others, *resolvers[""].options(decided))
    return {"": tuple(others), **dict.fromkeys(guests, shared)}


def options_of_table(root: Root, trees: Trees) -> Callable[[], Options]:
    """Return a function that returns the kernel options that a root's system table relies on.

    Its permissions may give attributes to files. The user of each option is the table's file. The
    function raises QuardError bad-system-table.
    """

    @cache
    def options() -> Options:
        file = trees.find(f"configs/system/{root.system}.toml")
        path = trees.path(file)
        try:
            text = given.content(path, given.TEXT)
        except OSError:
            return ()  # what makes the image from the table reports it
        if not any(word in text for word in _ATTRIBUTES):
            return ()
        from quard.image.system import load  # noqa: PLC0415 - few tables give any
        from quard.plan.attributes import needed  # noqa: PLC0415

        names = [name for _, row in load(path, file).permissions for name, _ in row.attributes]
        return tuple((file, option) for option in needed(names, root.formats))

    return options
