"""Composing a plan from a recipe and a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from quard.base.files import FileRef
from quard.base.record import Record, record
from quard.boards.configuration import Configuration
from quard.model import DEPLOY, Recipe, ToolchainRuntime
from quard.plan.context import Context
from quard.plan.plan import CopyStep, Plan, Step
from quard.plan.source import accepted, further
from quard.plan.style import Style
from quard.plan.styles import style
from quard.target import Target


@record(kw_only=True)
class Inputs(Record):
    """Inputs of one package, which the caller has read from the disk.

    patches, files -- those in the recipe's folder, sorted by name
    fragments      -- the board's Kconfig fragments, in its order
    relied         -- for the kernel: options that packages rely on, see quard.plan.kernel
    tree           -- digest of the source tree that overrides the archive, or ""
    folders        -- (folder of the tree, digest) of the recipe's own folders in it
    whole          -- it has the further archives as well, except for those of features
    generate       -- the tree is a developer's checkout without a configure script
    strict         -- only upstream's archive is accepted
    sysroot        -- packages whose dev parts the build sees
    linked         -- packages of which it sees only the shared libraries
    exported       -- those of `sysroot` that packages that need this one see as well
    natives        -- parts of packages for the build machine that it sees, as NAME:PART
    beside         -- returns the name in messages and the text of a file beside the recipe
    devicetrees    -- that the board builds, as names in the source and names of `files`
    """

    patches: tuple[FileRef, ...] = ()
    files: tuple[FileRef, ...] = ()
    fragments: tuple[FileRef, ...] = ()
    relied: tuple[str, ...] = ()
    tree: str = ""
    folders: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    generate: bool = False
    strict: bool = False
    sysroot: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    exported: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    beside: Callable[[str], tuple[str, str]] | None = None
    devicetrees: tuple[str, ...] = ()


def compose(
    name: str,
    recipe: Recipe,
    *,
    configuration: Configuration,
    features: Mapping[str, bool],
    inputs: Inputs,
) -> Plan:
    """Return the plan of one package. Raises QuardError for an unknown placeholder."""
    context, chosen = _context(name, recipe, configuration, features, inputs), style(recipe)
    steps, env = _steps(recipe, context, chosen), context.variables((*chosen.env, *recipe.env))
    return Plan(
        name=name,
        version=recipe.version,
        triple=context.target.triple,
        sources=() if inputs.tree else accepted(recipe, strict=inputs.strict),
        further=further(recipe, whole=inputs.whole),
        tree=inputs.tree,
        folders=inputs.folders,
        patches=inputs.patches,
        files=_files(inputs, native=configuration.native, used=(env, steps)),
        features=tuple(sorted(features.items())),
        needs=tuple(sorted(inputs.sysroot)),
        links=tuple(sorted(inputs.linked)),
        exports=tuple(sorted(inputs.exported)),
        natives=tuple(sorted(inputs.natives)),
        native=configuration.native,
        tools=tuple(sorted({*recipe.tools, *chosen.tools(recipe, context)})),
        env=env,
        cflags=configuration.flags,
        hardening=_hardening(recipe, configuration),
        steps=steps,
        drop=context.texts(recipe.drop),
        expects=context.texts(recipe.expects),
        parts=tuple(sorted((part.name, context.texts(part.paths)) for part in recipe.parts)),
        deploys=any(isinstance(s, CopyStep) and _deploys(s.destination) for s in steps),
        licenses=context.texts(recipe.license_files),
        taken=not recipe.sources and not inputs.tree,
        answers=chosen.answers and not context.target.package,
    )


def _target(recipe: Recipe, configuration: Configuration) -> Target:
    """Return what a package is built for: without a C library, it is the same for all of them."""
    chosen = configuration.target
    return chosen.freestanding if recipe.freestanding else chosen


def _context(
    name: str,
    recipe: Recipe,
    configuration: Configuration,
    features: Mapping[str, bool],
    inputs: Inputs,
) -> Context:
    return Context(
        name=name,
        recipe=recipe,
        target=_target(recipe, configuration),
        features=features,
        cflags=configuration.flags,
        fragments=tuple(fragment.name for fragment in inputs.fragments),
        devicetrees=inputs.devicetrees,
        relied=inputs.relied,
        native=configuration.native,
        generate=inputs.generate,
        beside=inputs.beside,
    )


def _steps(recipe: Recipe, context: Context, chosen: Style) -> tuple[Step, ...]:
    return (
        *context.steps("prepare", recipe.prepare),
        *chosen.steps(recipe, context),
        *context.steps("install", recipe.finish),
    )


def _files(
    inputs: Inputs, *, native: bool, used: tuple[Any, tuple[Step, ...]]
) -> tuple[FileRef, ...]:
    """Return the files that a build sees.

    used -- the environment and the steps. On the build machine, files that none of them names are
            those of the target's package
    """
    env, steps = used
    if native and "{files}" not in str([env, *(step.as_json() for step in steps)]):
        return ()
    return (*inputs.files, *inputs.fragments)


def compiles(recipe: Recipe) -> bool:
    """Return whether a recipe compiles programs for the target's system."""
    return not recipe.freestanding and not isinstance(recipe, ToolchainRuntime)


def _hardening(recipe: Recipe, configuration: Configuration) -> tuple[str, ...]:
    """Return the defences that the compiler driver adds, sorted."""
    if not compiles(recipe):
        return ()
    chosen = configuration.hardening
    if configuration.target.c_library != "glibc":
        chosen = replace(chosen, fortify=0)  # only glibc's headers have functions for it
    return chosen.built


def _deploys(destination: str) -> bool:
    return destination.startswith(DEPLOY + "/")
