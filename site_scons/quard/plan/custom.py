"""Build style: packages with their own commands."""

from __future__ import annotations

from quard.model import Custom
from quard.plan.context import Context
from quard.plan.plan import RunStep, Step
from quard.plan.style import Style


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


STYLE = Style(steps=steps)
