"""Build style: packages with a Makefile and no configure script."""

from __future__ import annotations

from quard.model import Make
from quard.plan.context import Context
from quard.plan.plan import RunStep, Step
from quard.plan.style import Style


def steps(recipe: Make, context: Context) -> tuple[Step, ...]:
    """Return the build and install steps; features add variables to both."""
    common = ("make", *context.texts(recipe.variables), *context.choices())
    build: tuple[Step, ...] = (RunStep("build", (*common, *context.texts(recipe.make))),)
    if not recipe.install:
        return build
    install = (*common, *context.texts(recipe.install))
    return (*build, RunStep("install", install, serial=True))


STYLE = Style(steps=steps)
