"""Build style: packages whose files come from the cross compiler."""

from __future__ import annotations

from quard.model import ToolchainRuntime
from quard.plan.context import Context
from quard.plan.plan import HeadersStep, Step, ToolchainStep
from quard.plan.style import Style


def steps(recipe: ToolchainRuntime, context: Context) -> tuple[Step, ...]:
    """Return the steps that copy files from the toolchain."""
    found: tuple[Step, ...] = ()
    if recipe.libraries:
        loader = context.target.loader
        found += (ToolchainStep("install", recipe.libraries, loader, recipe.on_demand),)
    if recipe.headers:
        found += (HeadersStep("install", recipe.headers),)
    return found


STYLE = Style(steps=steps)
