"""Packages with a configure script made by GNU Autoconf."""

from __future__ import annotations

from quard.model import Autotools
from quard.plan.context import Context
from quard.plan.plan import RunStep, Step

COMMON = (
    "--build={build}",
    "--host={triple}",
    "--prefix=/usr",
    "--sysconfdir=/etc",
    "--localstatedir=/var",
    "--disable-dependency-tracking",
    "--disable-nls",
    "--disable-static",
    "--enable-shared",
)
"""Arguments of every configure script; those that one does not know are only warned about."""


GENERATORS = "aclocal autoconf autoheader autom4te automake autoreconf libtoolize".split()
"""Commands of the build machine that write a configure script from configure.ac."""


def regenerate() -> tuple[Step, ...]:
    """Return the step that writes ./configure, which releases carry and checkouts do not."""
    return (RunStep("prepare", ("autoreconf", "--force", "--install")),)


def steps(recipe: Autotools, context: Context) -> tuple[Step, ...]:
    """Return configure, build and install."""
    arguments = context.texts(COMMON + recipe.configure) + context.choices()
    steps: tuple[Step, ...] = (
        RunStep("configure", ("./configure", *arguments)),
        RunStep("build", ("make", *context.texts(recipe.make))),
    )
    if recipe.install:
        install = ("make", "DESTDIR={stage}", *context.texts(recipe.install))
        steps += (RunStep("install", install),)
    return steps
