"""What a package depends on, with the board's features decided."""

from __future__ import annotations

from collections.abc import Mapping

from quard.boards.configuration import Configuration
from quard.plan.compose import compiles
from quard.recipes.catalog import Package
from quard.recipes.graph import ALL, Edges, packages, parted
from quard.recipes.implied import implied


def edges(
    package: Package,
    features: Mapping[str, bool],
    configuration: Configuration,
    further: tuple[str, ...] = (),
) -> Edges:
    """Return the dependencies of a package.

    features -- whether each feature of it is on
    further  -- packages that it needs beyond those of its recipe and its style
    """
    recipe, style = package.recipe, implied(package.recipe)
    needs = {*recipe.needs, *style.needs, *further}
    runtime = {*recipe.runtime, *style.runtime}
    natives = {*recipe.natives, *style.natives}
    for feature in recipe.features:
        if features[feature.name]:
            needs.update(feature.needs)
            runtime.update(feature.runtime)
            natives.update(feature.natives)
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
        exports=tuple(sorted({*packages(needs)}.intersection(recipe.exports))),
        natives=packages(natives),
        runtime=packages(runtime),
        brought=tuple(sorted(brought)),
    )
