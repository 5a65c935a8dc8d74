"""What a package depends on, with the board's features decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from quard.boards.configuration import Configuration
from quard.model import Recipe
from quard.plan.compose import compiles
from quard.recipes.catalog import Package
from quard.recipes.graph import ALL, Edges, packages, parted
from quard.recipes.implied import implied

if TYPE_CHECKING:
    from typing import Protocol

    class Settle(Protocol):
        """A function that returns needs with packages in place of roles, see Roles.settled."""

        def __call__(self, user: Package, needs: set[str], *, seen: bool) -> set[str]: ...


def edges(
    package: Package,
    features: Mapping[str, bool],
    configuration: Configuration,
    settle: Settle,
    further: tuple[str, ...] = (),
) -> Edges:
    """Return the dependencies of a package.

    features -- whether each feature of it is on
    settle   -- finds the packages for roles
    further  -- packages that it needs beyond those of its recipe and its style
    Raises QuardError unsettled-role.
    """
    recipe, exports = package.recipe, {*package.recipe.exports}
    needs, runtime, natives = _named(recipe, features)
    needs.update(further)
    if exports:  # those that only a feature needs count while it is on
        exports |= settle(package, exports.intersection(packages(needs)), seen=True)
    needs = settle(package, needs, seen=True)
    runtime = settle(package, runtime, seen=False)
    if configuration.native:
        # A build may run whatever it sees of the build machine: all of it is a need.
        needs, natives = needs | natives, set()
    brought = {*map(parted, needs)}
    brought |= {(name, part or ALL) for name, part in map(parted, runtime)}
    # An image has the C library if its root lists it: static programs do without.
    library = configuration.target.package
    if library and compiles(recipe) and package.name != library:
        needs.add(library)
    return Edges(
        needs=packages(needs),
        exports=tuple(sorted({*packages(needs)}.intersection(exports))),
        natives=packages(natives),
        runtime=packages(runtime),
        brought=tuple(sorted(brought)),
    )


def _named(recipe: Recipe, features: Mapping[str, bool]) -> tuple[set[str], set[str], set[str]]:
    """Return `needs`, `runtime` and `natives` of a recipe, its style and its features."""
    style = implied(recipe)
    needs = {*recipe.needs, *style.needs}
    runtime = {*recipe.runtime, *style.runtime}
    natives = {*recipe.natives, *style.natives}
    for feature in recipe.features:
        if features[feature.name]:
            needs.update(feature.needs)
            runtime.update(feature.runtime)
            natives.update(feature.natives)
    return needs, runtime, natives
