"""Device trees that a board adds to a package: copied into its source, compiled, and deployed."""

from __future__ import annotations

from quard.boards.override import blob, file_name, is_own
from quard.model import DEPLOY, Kconfig
from quard.plan.context import Context
from quard.plan.plan import PUT, CopyStep, RunStep, Step

_MODE = "0644"


def build(recipe: Kconfig, context: Context, make: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the steps that build them, which come before the package's own: an error is early.

    make -- make with the recipe's variables
    """
    folder = _folder(recipe, context)
    put = (
        RunStep("build", (*PUT, f"{{files}}/{name}", f"{folder}/{name}"))
        for name in context.devicetrees
        if is_own(name)
    )
    blobs = _blobs(recipe, context)
    return (*put, *((RunStep("build", (*make, *blobs)),) if blobs else ()))


def install(recipe: Kconfig, context: Context) -> tuple[Step, ...]:
    """Return the steps that put the blobs beside the images."""
    folder = _folder(recipe, context)
    return tuple(
        CopyStep("install", f"{folder}/{name}", f"{DEPLOY}/{file_name(name)}", _MODE)
        for name in _blobs(recipe, context)
    )


def _folder(recipe: Kconfig, context: Context) -> str:
    return context.texts((recipe.devicetrees,))[0]


def _blobs(recipe: Kconfig, context: Context) -> tuple[str, ...]:
    found = (blob(name) for name in context.devicetrees)
    return tuple(name for name in found if name) if recipe.blobs else ()
