"""Checks of the names in a recipe: of other packages, of parts, of variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quard.base.names import NAME, near
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding, twice
from quard.recipes.graph import packages, parted
from quard.recipes.mentioned import lists

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OTHER_PARTS = frozenset(("debug", "deploy", "dev", "interface", "log", "runtime", "tar"))


def names(package: Package, catalog: Catalog) -> Iterator[Finding]:
    recipe = package.recipe
    for field, names in lists(recipe):
        yield from twice(package, field, names)
        for name, part in map(parted, names):
            if part and field.endswith(("exports", "natives")):
                yield finding(package, field, f"{name}:{part} names a part", "bad-part")
            if name not in catalog.known and not _is_role(name, field, catalog):
                text = f"no package {name!r}{near(name, catalog.known)}"
                yield finding(package, field, text, "unknown-package")
            if name == package.name and not field.endswith("natives"):
                yield finding(package, field, "a package cannot need itself", "dependency-cycle")
    for name in recipe.exports:
        if parted(name)[0] not in packages(
            (*recipe.needs, *(n for f in recipe.features for n in f.needs))
        ):
            yield finding(package, "exports", f"{name!r} is not among `needs`", "bad-export")
    variables = tuple(name for name, _ in recipe.env)
    for name in variables:
        if not _VARIABLE.match(name):
            yield finding(package, "env", f"{name!r} is not a variable name", "bad-variable")
    yield from twice(package, "env", variables)
    yield from twice(package, "tools", recipe.tools)
    yield from _parts(package)
    from quard.recipes.lint_together import together  # noqa: PLC0415 - for changed recipes only

    yield from together(package, catalog)


def _is_role(name: str, field: str, catalog: Catalog) -> bool:
    """Return whether a name is a role, in a field that may have some: builds call packages."""
    if field.startswith(("for_build", "the style")) or field.endswith("natives"):
        return False
    from quard.recipes.roles import is_role  # noqa: PLC0415 - reads all recipes

    return is_role(name, catalog)


def _parts(package: Package) -> Iterator[Finding]:
    names = tuple(part.name for part in package.recipe.parts)
    yield from twice(package, "parts", names)
    for name in names:
        if not NAME.match(name):
            yield finding(package, "parts", f"{name!r} is not a name", "bad-part")
        if name in _OTHER_PARTS:
            yield finding(package, "parts", f"{name!r} is another part of each package", "bad-part")
