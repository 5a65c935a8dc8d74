"""Build style: packages configured by Kconfig."""

from __future__ import annotations

from quard.model import Kconfig
from quard.plan.context import Context
from quard.plan.plan import KconfigStep, Plan, RunStep, Step
from quard.plan.style import Style

_NO_LINKS = ("find", "{stage}/lib/modules", "-type", "l", "-delete")
"""Removes the links to the source and build folders that Kbuild installs beside the modules."""


def steps(recipe: Kconfig, context: Context) -> tuple[Step, ...]:
    """Return the configure, build and, if the recipe has any, install steps."""
    make = ("make", *context.texts(recipe.variables))
    configure = (
        KconfigStep(
            phase="configure",
            make=make,
            base=recipe.base,
            refresh=recipe.refresh,
            fragments=recipe.fragments + context.fragments,
            lines=context.choices(),
            relied=context.relied,
        ),
    )
    early: tuple[Step, ...] = ()
    late: tuple[Step, ...] = ()
    if context.devicetrees:
        from quard.plan import devicetrees  # noqa: PLC0415 - few boards have their own

        early = devicetrees.build(recipe, context, make)
        late = devicetrees.install(recipe, context)
    steps: tuple[Step, ...] = (RunStep("build", (*make, *context.texts(recipe.make))),)
    if recipe.modules:
        steps += (RunStep("build", (*make, *context.texts(recipe.modules)), modular=True),)
    if recipe.install:
        steps += (RunStep("install", (*make, *context.texts(recipe.install))),)
    if recipe.modules_install:
        install = (*make, *context.texts(recipe.modules_install))
        steps += (
            RunStep("install", install, modular=True),
            RunStep("install", _NO_LINKS, modular=True),
        )
    for argv in recipe.modules_finish:
        steps += (RunStep("install", context.texts(tuple(argv)), modular=True),)
    return (*configure, *early, *steps, *late)


STYLE = Style(steps=steps)


def kconfig_step(plan: Plan) -> KconfigStep | None:
    """Return the step that configures a package, None if it does not use Kconfig."""
    return next((step for step in plan.steps if isinstance(step, KconfigStep)), None)
