"""The recipes that a build uses are checked once for each content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from quard.base.errors import QuardError
from quard.recipes.catalog import Catalog, Package
from quard.recipes.mentioned import mentioned

if TYPE_CHECKING:
    from quard.recipes.finding import Finding


def require(packages: Iterable[Package], catalog: Catalog) -> None:
    """Raise QuardError with every finding in `packages`; its reason is that of the first one.

    Recipes found clean before are not checked again, except for the names of other packages.
    """
    found: list[Finding] = []
    for package in packages:
        if catalog.is_clean(package) and _are_known(mentioned(package), catalog):
            continue
        # Most runs check no recipe, as none has changed.
        from quard.recipes.lint import lint  # noqa: PLC0415

        mine = lint(package, catalog)
        if not mine:
            catalog.set_clean(package)
        found += mine
    if found:
        count = "1 error" if len(found) == 1 else f"{len(found)} errors"
        raise QuardError(
            f"{count} in the recipes",
            detail="\n".join(str(finding) for finding in found),
            reason=found[0].reason,
            hint=f"docs/errors/{found[0].reason}.md explains it; docs/adding-a-package.md lists"
            " every field",
        )


def _are_known(names: set[str], catalog: Catalog) -> bool:
    """Return whether each name is that of a package, or a role."""
    if catalog.known.issuperset(names):
        return True
    from quard.recipes.roles import is_role  # noqa: PLC0415 - reads all recipes

    return all(is_role(name, catalog) for name in names - catalog.known)
