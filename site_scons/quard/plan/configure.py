"""Build style: packages with a configure script of their own, which Autoconf did not generate."""

from __future__ import annotations

from quard.model import Configure
from quard.plan.context import Context
from quard.plan.plan import RunStep, Step
from quard.plan.style import Style

ENV = (
    ("AR", "{cross}ar"),
    ("CC", "{cross}gcc"),
    ("CXX", "{cross}g++"),
    ("RANLIB", "{cross}ranlib"),
)
"""The cross tools, in the variables that most of these scripts read."""


def steps(recipe: Configure, context: Context) -> tuple[Step, ...]:
    """Return the configure, build and install steps."""
    arguments = context.texts(("--prefix={prefix}", *recipe.configure)) + context.choices()
    configure = RunStep("configure", ("./configure", *arguments))
    return (configure, *context.make(recipe.make, recipe.install))


STYLE = Style(steps=steps, env=ENV)
