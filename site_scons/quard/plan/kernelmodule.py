"""Build style: modules that are not part of the kernel's source."""

from __future__ import annotations

from quard.model import KernelModule
from quard.plan.context import Context
from quard.plan.plan import BUILD, RunStep, Step
from quard.plan.style import Style

TREE = "usr/src/kernel.tar"
"""What modules are built with, in the kernel's part `dev`."""


def steps(recipe: KernelModule, context: Context) -> tuple[Step, ...]:
    """Return the steps that unpack the kernel's tree, build the modules and install them."""
    (folder,) = context.texts((recipe.folder,))
    place = "{src}" if folder == "." else f"{{src}}/{folder}"
    variables = context.texts(("ARCH={linux_arch}", "CROSS_COMPILE={cross}", *recipe.variables))
    make = ("make", "-C", BUILD, f"M={place}", *variables, *context.choices())
    install = ("INSTALL_MOD_PATH={stage}", "DEPMOD=true", "modules_install")
    return (
        RunStep("configure", ("mkdir", BUILD)),
        RunStep("configure", ("tar", "-xf", f"{{sysroot}}/{TREE}", "-C", BUILD)),
        RunStep("build", (*make, "modules")),
        RunStep("install", (*make, *install)),
    )


STYLE = Style(steps=steps)
