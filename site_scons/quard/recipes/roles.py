"""Roles that recipes name in place of packages, as `ssh-server`: which packages have one."""

from __future__ import annotations

from quard.base.errors import QuardError
from quard.recipes.catalog import Catalog


def is_role(name: str, catalog: Catalog) -> bool:
    """Return whether a package of the catalogue has a role."""
    return bool(having(name, catalog))


def having(role: str, catalog: Catalog) -> tuple[str, ...]:
    """Return the packages of the catalogue that have a role, sorted."""
    return tuple(name for name in catalog.names() if _has(name, role, catalog))


def _has(name: str, role: str, catalog: Catalog) -> bool:
    try:
        return role in catalog[name].recipe.provides
    except QuardError:  # another recipe, which is reported where it is used
        return False
