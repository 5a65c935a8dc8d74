"""Checks of what a recipe says about the package for the build machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from quard.model import Custom, ForBuild, Step
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding

_REASON = "bad-for-build"


def for_build(package: Package, _: Catalog) -> Iterator[Finding]:
    """Yield a finding for each field that the recipe's style lacks or fills with something else."""
    recipe, given = package.recipe, package.recipe.for_build
    if given is None:
        return
    style, own = type(recipe).__name__, {item.name for item in fields(recipe)}
    for name in (item.name for item in fields(given)):
        content = getattr(given, name)
        if content is None:
            continue
        if name not in own:
            text = f"{style} has no field {name!r}"
            yield finding(package, f"for_build.{name}", text, _REASON)
        elif not _fits(package, given, name):
            kind = "steps" if isinstance(recipe, Custom) else "texts"
            yield finding(package, f"for_build.{name}", f"{style}.{name} has {kind}", _REASON)
    known = {feature.name for feature in recipe.features}
    for name in given.features or ():
        if name not in known:
            text = f"there is no feature {name!r}"
            yield finding(package, "for_build.features", text, "unknown-feature")


def _fits(package: Package, given: ForBuild, name: str) -> bool:
    """Return whether a field that has steps in one style and texts in others has the right ones."""
    if name not in ("configure", "install"):
        return True
    steps = isinstance(package.recipe, Custom)
    return all(isinstance(item, Step) == steps for item in getattr(given, name))
