"""Build style: Python projects, by their build backend (PEP 517)."""

from __future__ import annotations

from quard.model import Python
from quard.plan.context import Context
from quard.plan.plan import BUILD, RunStep, Step
from quard.plan.style import Style

TOOLS = "{native}/usr/lib/wheel-tools"
"""The package wheel-tools: what every package of this style is built with."""


def steps(recipe: Python, context: Context) -> tuple[Step, ...]:
    """Return the steps that make a wheel and install its files."""
    # -P: what is beside a script is not what backends import.
    python = ("python3", "-P")
    # Without python3 in its needs, a package has nothing that is compiled for the target.
    cross = () if context.native else ("--sysroot", "{sysroot}")
    project = ("--project", *context.texts((recipe.folder,)))
    words = context.texts(recipe.configure) + context.choices()
    settings = (f"--setting={word}" for word in words)
    folders = ("--prefix", context.values["prefix"], "--stage", "{stage}")
    return (
        RunStep("build", (*python, f"{TOOLS}/build.py", *project, *cross, *settings, BUILD)),
        RunStep("install", (*python, f"{TOOLS}/install.py", *folders, BUILD), serial=True),
    )


# Which strings a compiled module shares with another depends on the order of sets.
STYLE = Style(steps=steps, env=(("PYTHONHASHSEED", "0"),))
