"""Checks of what a recipe promises: files that are installed, and faults that are fixed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding, twice
from quard.recipes.lint_sources import is_inside

_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")


def promises(package: Package, _: Catalog) -> Iterator[Finding]:
    """Yield the findings in `expects` and `fixes`."""
    recipe = package.recipe
    yield from twice(package, "expects", recipe.expects)
    yield from twice(package, "fixes", recipe.fixes)
    for path in recipe.expects:
        if not is_inside(path):
            text = f"{path!r} must be a path below the staging folder, such as usr/bin/x"
            yield finding(package, "expects", text, "bad-path")
    for number in recipe.fixes:
        if not _CVE.fullmatch(number):
            text = f"{number!r} is not a CVE number, such as CVE-2026-12345"
            yield finding(package, "fixes", text, "bad-cve")
    if recipe.fixes and not any(name.endswith(".patch") for name in package.beside):
        text = "there is no patch beside the recipe that could fix them"
        yield finding(package, "fixes", text, "fixes-nothing")
