"""Build styles: packages with their own commands, and files copied from the toolchain."""

from __future__ import annotations

from quard.model import Custom, ToolchainRuntime
from quard.plan.context import Context
from quard.plan.plan import HeadersStep, RunStep, Step, ToolchainStep


def steps(recipe: Custom, context: Context) -> tuple[Step, ...]:
    """Return the recipe's steps; arguments of features go to the first configure command."""
    configure = list(context.steps("configure", recipe.configure))
    if choices := context.choices():
        first = configure[0]
        assert isinstance(first, RunStep), "lint: features need a configure command"
        configure[0] = RunStep("configure", first.argv + choices)
    return (
        *configure,
        *context.steps("build", recipe.build),
        *context.steps("install", recipe.install),
    )


def toolchain(recipe: ToolchainRuntime, context: Context) -> tuple[Step, ...]:
    """Return the steps that copy files from the toolchain."""
    found: tuple[Step, ...] = ()
    if recipe.libraries:
        found += (ToolchainStep("install", recipe.libraries, context.target.loader),)
    if recipe.headers:
        found += (HeadersStep("install", recipe.headers),)
    return found
