"""Recipes with what their features add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quard.model import Feature, Recipe


def whole(recipe: Recipe, on: Mapping[str, bool]) -> Recipe:
    """Return a recipe with what the features that are on add to its fields."""
    added: dict[str, Any] = {}
    for feature in recipe.features:
        if feature.adds and on[feature.name]:
            for name, value in feature.adds:
                added[name] = (*added.get(name, getattr(recipe, name)), *_items(value))
    return replace(recipe, **added) if added else recipe


def listed(recipe: Recipe, field: str) -> tuple[Any, ...]:
    """Return what a recipe and all of its features have in a field."""
    found: tuple[Any, ...] = getattr(recipe, field)
    for feature in recipe.features:
        found += added(feature, field)
    return found


def added(feature: Feature, field: str) -> tuple[Any, ...]:
    """Return what a feature adds to a field while it is on."""
    return _items(dict(feature.adds or ()).get(field, ()))


def _items(value: object) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()
