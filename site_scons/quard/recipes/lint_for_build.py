"""Checks of what a recipe says about the package for the build machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from quard.base.names import meant
from quard.base.typetest import field_tests, fits
from quard.model import Recipe
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding

_REASON = "bad-for-build"
_SAME = frozenset(
    (
        "configs",
        "conflicts",
        "fixes",
        "for_build",
        "freestanding",
        "homepage",
        "kernel",
        "license",
        "license_files",
        "permissions",
        "provides",
        "services",
        "sources",
        "summary",
        "unhardened",
        "users",
        "version",
        "yields_to",
    )
)
"""Fields that are the same for both, or have no meaning on the build machine."""


def for_build(package: Package, _: Catalog) -> Iterator[Finding]:
    """Yield a finding for each field that the recipe's style lacks, or with a value that it cannot
    have there.
    """
    recipe = package.recipe
    kind: Any = type(recipe)
    style = kind.__name__
    known = {item.name: str(item.type) for item in fields(recipe) if item.name not in _SAME}
    tests = field_tests(kind)
    for name, value in recipe.for_build or ():
        field = f"for_build.{name}"
        if name == "features":
            yield from _features(package, recipe, value)
        elif name not in known:
            text = meant(name, known, f"known: {', '.join(sorted(known))}")
            yield finding(package, field, f"{style} has no such field; {text}", _REASON)
        elif not tests[name](value):
            from quard.recipes.parse import mismatch  # noqa: PLC0415 - few runs parse a recipe

            yield finding(package, field, mismatch(known[name], value), _REASON)


def _features(package: Package, recipe: Recipe, value: object) -> Iterator[Finding]:
    if not fits(tuple[str, ...])(value) or not isinstance(value, tuple):
        text = f"must be the names of features, not {value!r}"
        yield finding(package, "for_build.features", text, _REASON)
        return
    known = {feature.name for feature in recipe.features}
    for name in sorted({*value} - known):
        text = f"there is no feature {name!r}"
        yield finding(package, "for_build.features", text, "unknown-feature")
