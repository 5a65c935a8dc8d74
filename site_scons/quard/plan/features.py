"""The features of a package on a board: which are on, and the recipe that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from quard.boards.configuration import Configuration
from quard.recipes.catalog import Package


def settled(
    package: Package, configuration: Configuration, decided: Mapping[tuple[str, str], bool]
) -> dict[str, bool]:
    """Return whether each feature of a package is on.

    decided -- those with the choice `if-available`
    """
    found = {}
    for feature in package.recipe.features:
        key = (package.name, feature.name)
        choice = configuration.features.get(key)
        if choice == "if-available":
            found[feature.name] = decided[key]
        else:
            found[feature.name] = feature.default if choice is None else choice == "on"
    return found


def with_features(package: Package, on: Mapping[str, bool]) -> Package:
    """Return a package with what its features that are on add to its recipe."""
    if not any(feature.adds and on[feature.name] for feature in package.recipe.features):
        return package
    from quard.recipes.whole import whole  # noqa: PLC0415 - few recipes need it

    return replace(package, recipe=whole(package.recipe, on))
