"""Data that a build style uses besides the recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from quard.base.placeholders import NATIVE
from quard.base.record import Record, record
from quard.model import Install, Recipe, Run, Step, Symlink, Template
from quard.plan import plan
from quard.recipes.placeholders import render, render_all
from quard.target import Target, processor

BUILD_TRIPLE = "x86_64-pc-linux-gnu"
"""Triple used for every build machine: results must not depend on the real one."""
OWN_BUILD_TRIPLE = "x86_64-build-linux-gnu"
"""The same for targets of that processor. config.sub completes x86_64-linux-gnu to BUILD_TRIPLE, so
that scripts which compare complete names would not see that they configure for another machine.
"""


@record
class Context(Record):
    """One package on one board.

    features -- every feature of the recipe, on or off
    fragments -- names of the board's Kconfig fragments, applied after the recipe's
    devicetrees -- that the board builds, as names in the source and names of files
    relied -- options of the kernel that packages rely on, see quard.plan.kernel
    native -- it is built for the build machine
    generate -- the source is a developer's checkout without generated files
    beside -- returns the name in messages and the text of a file beside the recipe
    """

    name: str
    recipe: Recipe
    target: Target
    features: Mapping[str, bool]
    cflags: str
    fragments: tuple[str, ...] = ()
    devicetrees: tuple[str, ...] = ()
    relied: tuple[str, ...] = ()
    native: bool = False
    generate: bool = False
    beside: Callable[[str], tuple[str, str]] | None = None
    values: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        values = {
            "name": self.name,
            "version": self.recipe.version,
            "triple": self.target.triple,
            "cross": self.target.triple + "-",
            "build": self._build_triple,
            "linux_arch": self.target.linux_arch,
            "linux_image": self.target.linux_image,
            "prefix": f"{self.root}/usr",
            "cflags": self.cflags,
            **dict(self.target.words),
        }
        object.__setattr__(self, "values", values)

    @property
    def _build_triple(self) -> str:
        if self.native:  # it is no cross build: its programs can be run
            return self.target.triple
        same = processor(self.target.triple) == processor(BUILD_TRIPLE)
        return OWN_BUILD_TRIPLE if same else BUILD_TRIPLE

    @property
    def root(self) -> str:
        """The folder that has the package's usr, etc and var where the package is used."""
        return NATIVE if self.native else ""

    def texts(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Render arguments of the recipe."""
        return render_all(texts, self.values)

    def variables(self, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Render variables, given as (name, value), sorted; of two values the later one counts."""
        rendered = ((name, render(text, self.values)) for name, text in dict(pairs).items())
        return tuple(sorted(rendered))

    def choices(self) -> tuple[str, ...]:
        """Return the arguments of each feature's chosen branch, in the recipe's order."""
        chosen: tuple[str, ...] = ()
        for feature in self.recipe.features:
            chosen += feature.on if self.features[feature.name] else feature.off
        return self.texts(chosen)

    def steps(self, phase: plan.Phase, steps: tuple[Step, ...]) -> tuple[plan.Step, ...]:
        """Convert a recipe's steps to steps of a plan."""
        return tuple(self._step(phase, step) for step in steps)

    def make(self, build: tuple[str, ...], install: tuple[str, ...]) -> tuple[plan.Step, ...]:
        """Return the steps that run make after a configure script.

        build, install -- targets and variables of the recipe; without those of the installation
                          there is no step for it
        """
        steps: tuple[plan.Step, ...] = (plan.RunStep("build", ("make", *self.texts(build))),)
        if install:
            argv = ("make", "DESTDIR={stage}", *self.texts(install))
            steps += (plan.RunStep("install", argv, serial=True),)
        return steps

    def _filled(self, phase: plan.Phase, file: str, destination: str, mode: str) -> plan.CopyStep:
        """Return the step that installs a file with its placeholders replaced."""
        from quard.plan import template  # noqa: PLC0415 - few recipes have one

        assert self.beside is not None, "a recipe with a Template is planned with its files"
        values = template.values(*self.beside(file), self.values)
        return plan.CopyStep(phase, f"{{files}}/{file}", destination, mode, values)

    def _step(self, phase: plan.Phase, step: Step) -> plan.Step:
        match step:
            case Install(Template(file), destination, mode):
                return self._filled(phase, file, render(destination, self.values), mode)
            case Install(str(source), destination, mode):
                return plan.CopyStep(
                    phase, render(source, self.values), render(destination, self.values), mode
                )
            case Symlink(path, target):
                return plan.LinkStep(phase, render(path, self.values), render(target, self.values))
            case Run():
                return plan.RunStep(phase, self.texts(tuple(step)), serial=phase == "install")
        raise AssertionError(step)
