"""Boards of any trees with their plans, as these are on every machine.

All sources are available, no local tree replaces one, and packages for the build machine are for
x86_64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from quard.base.errors import QuardError
from quard.boards import native as natives
from quard.boards.board import Board
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.plan.board import Surroundings, image_units
from quard.plan.packages import package_units
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.plan.unit import Unit
from quard.project.resolving import resolve
from quard.project.rooted import naming
from quard.recipes.catalog import Catalog

BUILD = natives.NAME
PROCESSOR = "x86_64"
"""That of the build machine, wherever this runs."""


class Planned:
    """The packages and boards of some trees."""

    def __init__(self, trees: Trees) -> None:
        self.trees = trees
        self.catalog = Catalog(trees.own / "packages", None, trees.folders("packages"))
        self.catalog.sites = trees.sites

    def resolved(self, chosen: Board, extra: Iterable[tuple[str, str]] = ()) -> dict[str, Resolved]:
        """Return the packages of each root of a board, see quard.project.resolving.

        extra -- further packages, as (root, name)
        Raises QuardError.
        """
        catalog = self.catalog.of(chosen.target, self.trees)
        own = Fragments(self.trees, chosen.configuration)
        resolvers: dict[str, Resolver] = {}
        decided: dict[tuple[str, str], bool] = {}
        for root in (chosen.own, *chosen.roots):
            found = Fragments(self.trees, root.configuration, own) if root.name else own
            with naming(root.name):
                resolver = Resolver(root, catalog, found, own=resolvers.get(""))
            resolvers[root.name] = resolver
            decided |= dict.fromkeys(resolver.choices(), True)
        return resolve(resolvers, self._native(chosen.name), decided, {}, extra)

    def _native(self, board: str) -> Callable[[Iterable[str]], Resolver]:
        """Return what resolves packages for the build machine."""

        def resolver(names: Iterable[str]) -> Resolver:
            root = natives.root(board, PROCESSOR, names)
            catalog = self.catalog.of(root.configuration.target, self.trees)
            return Resolver(root, catalog, Fragments(self.trees, root.configuration))

        return resolver

    def units(self, chosen: Board) -> dict[str, Unit]:
        """Return the units of a board by id. Raises QuardError.

        What the disk says (overlays, tables, the parts of run.sh) stands there as a fixed word.
        """
        everything = self.resolved(chosen)
        roots = {name: each for name, each in everything.items() if name != BUILD}
        around = Surroundings(
            systems={each.root.system: "the system's table" for each in roots.values()},
            overlays={n: "the overlay" for each in roots.values() for n in each.root.overlays},
            authorized_keys=(),
            machine="the machine",
            template="the parts of run.sh",
            hooks={n: "the script" for each in roots.values() for n in _called(each)},
        )
        packages = package_units(everything)
        return {**packages.units, **image_units(chosen, roots, packages, around)}

    def can_have(self, chosen: Board, name: str) -> bool:
        """Return whether a package can be built for a board's target and C library."""
        if self.catalog[name].recipe.c_library not in ("", chosen.target.c_library):
            return False
        try:
            return bool(self.catalog.of(chosen.target, self.trees)[name])
        except QuardError as error:
            if error.reason != "not-for-target":
                raise
            return False


def _called(resolved: Resolved) -> tuple[str, ...]:
    """Return the names of a root's scripts, and of what they see besides."""
    hooks = resolved.root.hooks
    return (*hooks.post_root, *hooks.post_image, *hooks.inputs) if hooks else ()
