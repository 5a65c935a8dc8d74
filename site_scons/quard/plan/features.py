"""The features of a package on a board: which are on, and the recipe that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from quard.boards.configuration import Configuration
from quard.recipes.catalog import Package

Decided = Mapping[tuple[str, str], bool]
"""(package, feature) -> whether it is on, of those with the choice `if-available`."""


def settled(package: Package, configuration: Configuration, decided: Decided) -> dict[str, bool]:
    """Return whether each feature of a package is on."""
    found = {}
    for feature in package.recipe.features:
        key = (package.name, feature.name)
        choice = configuration.features.get(key)
        if choice == "if-available":
            found[feature.name] = decided[key]
        else:
            found[feature.name] = feature.default if choice is None else choice == "on"
    return found


def with_features(package: Package, configuration: Configuration, decided: Decided) -> Package:
    """Return a package with what its features that are on add to its recipe."""
    for feature in package.recipe.features:
        if feature.adds:
            from quard.recipes.whole import whole  # noqa: PLC0415 - few recipes need it

            on = settled(package, configuration, decided)
            return replace(package, recipe=whole(package.recipe, on))
    return package
