"""Checks of the kernel options that a recipe relies on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quard.model import KERNEL, Kconfig
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding, twice

_PREFIX = "CONFIG_"
_OPTION = re.compile(r"[A-Za-z0-9_]+(=[yn])?")


def kernel(package: Package, _: Catalog) -> Iterator[Finding]:
    """Yield the findings in `kernel`, also of features, and in the role of a kernel."""
    recipe = package.recipe
    lists = [("kernel", recipe.kernel)]
    lists += [(f"feature {each.name}.kernel", each.kernel) for each in recipe.features]
    for field, options in lists:
        yield from twice(package, field, tuple(re.sub("=.*", "", option) for option in options))
        for option in options:
            if option.startswith(_PREFIX):
                text = f"write {option.removeprefix(_PREFIX)!r}, without {_PREFIX}"
                yield finding(package, field, text, "bad-kernel-option")
            elif not _OPTION.fullmatch(option):
                text = f"{option!r} must be an option's name, NAME=y or NAME=n"
                yield finding(package, field, text, "bad-kernel-option")
    if KERNEL in recipe.provides and not isinstance(recipe, Kconfig):
        text = f"{KERNEL!r} is the role of a package of the style Kconfig"
        yield finding(package, "provides", text, "bad-role")
