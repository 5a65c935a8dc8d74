"""Checks of what features add to the fields of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from quard.base.names import meant
from quard.base.typetest import field_tests
from quard.model import Folder
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding
from quard.recipes.parse import mismatch
from quard.recipes.whole import whole

Check = Callable[[Package, Catalog], Iterable[Finding]]
_REASON = "bad-adds"
_NOT = {
    "conflicts": "boards compare it before features are decided",
    "exports": "list it in the recipe: it counts only while the package is needed",
    "features": "a feature has none of its own",
    "fixes": "patches are applied whether a feature is on or off",
    "kernel": "the feature itself has this field",
    "natives": "the feature itself has this field",
    "needs": "the feature itself has this field",
    "provides": "boards compare it before features are decided",
    "runtime": "the feature itself has this field",
    "yields_to": "list it in the recipe: it counts only for paths that are installed",
}
"""Fields that are lists and that no feature can add to, and why."""


def adds(
    package: Package, catalog: Catalog, checks: Iterable[Check], before: Iterable[Finding]
) -> Iterator[Finding]:
    """Yield a finding for each field that features cannot add to, or with a wrong value; then those
    that only a recipe has whose features are all on.

    checks -- of a whole recipe
    before -- what they find in the recipe itself
    """
    recipe = package.recipe
    if not any(feature.adds for feature in recipe.features):
        return
    if wrong := [*_wrong(package)]:
        yield from wrong
        return
    # Texts of features are checked with the recipe's own, in the field `features`.
    known = {(each.reason, each.text) for each in before}
    on = whole(recipe, dict.fromkeys((f.name for f in recipe.features), True))
    for check in checks:
        for found in check(replace(package, recipe=on), catalog):
            if (found.reason, found.text) not in known:
                yield found


def _wrong(package: Package) -> Iterator[Finding]:
    kind: Any = type(package.recipe)
    types = {item.name: str(item.type) for item in fields(kind)}
    known = [name for name, text in types.items() if text.startswith("tuple[") and name not in _NOT]
    tests = field_tests(kind)
    for feature in package.recipe.features:
        for name, value in feature.adds or ():
            field = f"feature {feature.name}.adds.{name}"
            if name in _NOT:
                yield finding(package, field, f"has no meaning: {_NOT[name]}", _REASON)
            elif name not in known:
                text = meant(name, known, f"known: {', '.join(sorted(known))}")
                text = f"{kind.__name__} has no list of this name; {text}"
                yield finding(package, field, text, _REASON)
            elif not tests[name](value):
                yield finding(package, field, mismatch(types[name], value), _REASON)
            elif name == "sources" and isinstance(value, tuple):
                yield from _archives(package, field, value)


def _archives(package: Package, field: str, sources: Iterable[object]) -> Iterator[Finding]:
    """Check what only the sources of features cannot be; lint_sources has the rest."""
    if not package.recipe.sources:
        text = "has no meaning: the recipe has no source, of which they would be folders"
        yield finding(package, field, text, _REASON)
    for source in sources:
        if isinstance(source, Folder):
            text = f'list Folder("{source.path}") in the recipe: it is there in any case'
            yield finding(package, field, text, _REASON)
