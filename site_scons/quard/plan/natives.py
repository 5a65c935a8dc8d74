"""Packages for the build machine: their recipes, and which of their files a build sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from quard.base.errors import QuardError
from quard.model import Kconfig, KernelModule, Recipe, ToolchainRuntime
from quard.plan.unit import target_parts
from quard.recipes.catalog import Package
from quard.recipes.graph import Graph, packages

DEV = "dev"
"""The part with headers and all else that a compiler and a linker read. Its bytes are what counts,
unlike those of a target's package: a build may run or load what is there."""


def for_build(package: Package) -> Package:
    """Return a package with its recipe for the build machine.

    It has no accounts there, owners or modes. It does not need itself: what it is built with must
    come from the tools.
    Raises QuardError no-native.
    """
    require_native(package)
    recipe = package.recipe
    changes: dict[str, Any] = dict(recipe.for_build or ())
    chosen = changes.pop("features", None)
    found = replace(recipe, **changes, users=(), permissions=(), unhardened=(), for_build=None)
    features = found.features
    if chosen is not None:
        features = tuple(replace(each, default=each.name in chosen) for each in features)
    features = tuple(replace(f, natives=_others(package, f.natives)) for f in features)
    natives = _others(package, found.natives)
    return replace(package, recipe=replace(found, natives=natives, features=features))


def require_native(package: Package, user: Package | None = None) -> None:
    """Raise QuardError no-native for a package that only a target can have.

    user -- the package that needs it there, if that is known
    """
    recipe = package.recipe
    if isinstance(recipe, KernelModule):
        detail = "it has modules of the kernel, which only the board's kernel loads"
        hint = (
            "remove it from the recipes' `natives`; if the target needs its modules,"
            " name it in `runtime`"
        )
    elif isinstance(recipe, Kconfig | ToolchainRuntime) or recipe.freestanding:
        detail = (
            "only libraries and programs can: not kernels, firmware, packages that a board"
            " configures with Kconfig, and parts of a toolchain"
        )
        hint = (
            "remove it from the recipes' `natives`; of a package that is built for the build"
            " machine, for_build=ForBuild(needs=...) replaces `needs` there"
        )
    else:
        return
    what = f"{user.file} needs {package.name}, which" if user else package.name
    raise QuardError(
        f"{what} cannot be built for the build machine",
        detail=detail,
        reason="no-native",
        hint=hint,
    )


def _others(package: Package, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name != package.name)


class Natives:
    """The packages for the build machine that a board's builds use.

    graph   -- in which the programs that a build calls count as needs: it sees the same of both
    recipes -- those for the build machine, by package
    """

    def __init__(self, graph: Graph, recipes: Mapping[str, Recipe]) -> None:
        self.graph = graph
        self.recipes = recipes

    def seen(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return what a build sees that names these packages, as NAME:PART, sorted.

        It sees headers and the like of the named ones and of those that they export, and the
        programs and libraries of all that they need to run.
        """
        return self._seen(names, lambda _: True)

    def seen_by(self, name: str) -> tuple[str, ...]:
        """Return what the build of one of these packages sees, likewise.

        A program that it needs may call the package itself when it runs, or something that is built
        with it: that cannot be there yet. What else a board has makes no difference.
        """
        graph = self.graph
        below, later = graph.below(name), {name, *graph.users(name)}
        return self._seen(graph.edges[name].needs, lambda each: each in below or each not in later)

    def _seen(self, names: Iterable[str], there: Callable[[str], bool]) -> tuple[str, ...]:
        named = packages(names)
        found = {f"{name}:{DEV}" for name in self.graph.exported(named)}
        for name in filter(there, self.graph.closure(named)):
            found.update(f"{name}:{part}" for part in self._parts(name))
        return tuple(sorted(found))

    def _parts(self, name: str) -> tuple[str, ...]:
        return target_parts(part.name for part in self.recipes[name].parts)
