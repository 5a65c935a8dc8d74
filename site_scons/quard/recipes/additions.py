"""What product trees add to the packages of other trees: patches and Kconfig fragments.

A folder packages/NAME without a recipe adds its files to the package NAME of an earlier tree.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.names import unknown
from quard.model import Kconfig, Recipe
from quard.recipes.beside import LEFTOVER, beside

_PATCH, _FRAGMENT = ".patch", ".fragment"


def adds(folder: Path, shown: str, known: Iterable[str]) -> bool:
    """Return whether a folder without a recipe adds patches or fragments to a package.

    shown -- the folder's name in messages
    known -- the packages of earlier trees
    Raises QuardError: unknown-package if no earlier tree has that package; bad-extension if the
    folder cannot be read.
    """
    if LEFTOVER.match(folder.name):
        return False
    try:
        names = os.listdir(folder)
    except NotADirectoryError:
        return False
    except OSError as error:
        raise QuardError(
            f"{shown} cannot be read",
            detail=error.strerror or str(error),
            reason="bad-extension",
            hint="replace it with a folder that this user can read, or remove it",
        ) from error
    if not any(name.endswith((_PATCH, _FRAGMENT)) for name in names):
        return False
    if folder.name not in known:
        raise unknown(
            "package",
            folder.name,
            sorted(known),
            f"{shown} has no recipe, so that its files are for a package of an earlier tree",
        )
    return True


def extended(
    recipe: Recipe,
    file: str,
    folders: Mapping[str, Path],
) -> tuple[Recipe, tuple[tuple[str, Path], ...]]:
    """Return a recipe with the fragments that other trees add, and names and paths of all files.

    file    -- the recipe's file in messages
    folders -- by the trees' names, in their order
    Raises QuardError: bad-extension, recipe-link.
    """
    added: list[tuple[str, Path]] = []
    for tree, folder in folders.items():
        shown = f"{tree}:packages/{folder.name}"
        for name in beside(shown, f"{folder}"):
            if not LEFTOVER.match(name):
                _require_usable(recipe, file, shown, name)
                added.append((f"{tree}:{name}", folder / name))
    if isinstance(recipe, Kconfig):
        fragments = tuple(name for name, _ in added if name.endswith(_FRAGMENT))
        recipe = replace(recipe, fragments=(*recipe.fragments, *fragments))
    return recipe, tuple(added)


def _require_usable(recipe: Recipe, file: str, shown: str, name: str) -> None:
    kconfig = isinstance(recipe, Kconfig)
    if name.endswith(_PATCH) or (kconfig and name.endswith(_FRAGMENT)):
        return
    if name.endswith(_FRAGMENT):
        problem = "the package is not configured by Kconfig"
    else:
        problem = "only patches and Kconfig fragments can be added to a package of another tree"
    raise QuardError(
        f"{shown}/{name} cannot be added to {file}",
        detail=problem,
        reason="bad-extension",
        hint="remove it, or replace the whole package: docs/product-tree.md",
    )
