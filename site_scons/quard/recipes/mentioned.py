"""The names of other packages in a recipe."""

from __future__ import annotations

from quard.installed import ANY
from quard.model import Recipe
from quard.recipes.catalog import Package
from quard.recipes.graph import packages
from quard.recipes.implied import implied


def lists(recipe: Recipe) -> list[tuple[str, tuple[str, ...]]]:
    """Return each list of other packages in a recipe, with the name of its field."""
    found = [
        ("needs", recipe.needs),
        ("exports", recipe.exports),
        ("natives", recipe.natives),
        ("runtime", recipe.runtime),
    ]
    for feature in recipe.features:
        found.append((f"feature {feature.name}.needs", feature.needs))
        found.append((f"feature {feature.name}.natives", feature.natives))
        found.append((f"feature {feature.name}.runtime", feature.runtime))
    for name in ("needs", "natives", "runtime"):
        found.append((f"the style's {name}", getattr(implied(recipe), name)))
    for name, value in recipe.for_build or ():
        if name in ("needs", "exports", "natives", "runtime") and isinstance(value, tuple):
            found.append((f"for_build.{name}", tuple(map(str, value))))
    return found


def _together(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of packages in `yields_to` and `conflicts`."""
    names = (*recipe.yields_to, *recipe.conflicts)
    return tuple(name for name in names if name != ANY and name not in recipe.provides)


def mentioned(package: Package) -> set[str]:
    """Return the names of other packages that a recipe mentions."""
    needed = packages(name for _, names in lists(package.recipe) for name in names)
    return {*needed, *_together(package.recipe)}
