"""Checks of owners, modes and attributes that a recipe gives to installed paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quard.installed import Permission
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding

_MODE = re.compile(r"0?[0-7]{3,4}\Z")


def permissions(package: Package, _: Catalog) -> Iterator[Finding]:
    """Yield the findings in `permissions`."""
    for permission in package.recipe.permissions:
        sound = bool(_MODE.match(permission.mode))
        if not sound:
            yield finding(package, "permissions", f"bad mode {permission.mode!r}", "bad-mode")
        if not permission.path.startswith("/"):
            text = f"{permission.path!r} must begin with /"
            yield finding(package, "permissions", text, "bad-path")
        if sound and permission.has_attributes:
            yield from _attributes(package, permission)


def _attributes(package: Package, permission: Permission) -> Iterator[Finding]:
    from quard.base import xattrs  # noqa: PLC0415 - few recipes give any

    mode = int(permission.mode, 8)
    for key, text in xattrs.problems(mode, permission.capabilities, permission.xattrs):
        where = f"{key} of {permission.path}: {text}"
        if key == "capabilities":
            yield finding(package, "permissions", where, "bad-capabilities")
        else:
            yield finding(package, "permissions", where, "bad-xattr")
