"""Checks of what a recipe says about packages that are in one root file system with it."""

from __future__ import annotations

from collections.abc import Iterator

from quard.base.names import NAME, near
from quard.installed import ANY
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding, twice


def together(package: Package, catalog: Catalog) -> Iterator[Finding]:
    """Yield the findings in `yields_to`, `provides` and `conflicts`."""
    recipe = package.recipe
    for field in ("yields_to", "provides", "conflicts"):
        yield from twice(package, field, getattr(recipe, field))
    if ANY in recipe.yields_to and len(recipe.yields_to) > 1:
        text = f"{ANY!r} already means all packages: name nothing else"
        yield finding(package, "yields_to", text, "named-twice")
    for role in recipe.provides:
        if not NAME.match(role):
            text = f"{role!r} is not a role: use a-z, digits, + . and -, as in ssh-server"
            yield finding(package, "provides", text, "bad-role")
    for field in ("yields_to", "conflicts"):
        roles = recipe.provides if field == "conflicts" else (ANY,)
        for name in getattr(recipe, field):
            if name == package.name:
                text = "names this package itself"
                yield finding(package, field, text, "names-itself")
            elif name not in catalog.known and name not in roles:
                yield finding(package, field, _unknown(name, field, catalog), "unknown-package")


def _unknown(name: str, field: str, catalog: Catalog) -> str:
    what = "package, and no role in `provides`," if field == "conflicts" else "package"
    return f"there is no {what} {name!r}{near(name, catalog.names())}"
