"""The registry of build styles."""

# Modules are imported where a recipe uses them: a build loads only the styles of its packages.
# ruff: noqa: PLC0415

from __future__ import annotations

from quard.model import (
    Autotools,
    CMake,
    Configure,
    Custom,
    Kconfig,
    KernelModule,
    Make,
    Meson,
    Python,
    Recipe,
    ToolchainRuntime,
)
from quard.plan.style import Style


def style(recipe: Recipe) -> Style:
    """Return the style of a recipe."""
    match recipe:
        case Autotools():
            from quard.plan.autotools import STYLE
        case CMake():
            from quard.plan.cmake import STYLE
        case Configure():
            from quard.plan.configure import STYLE
        case Custom():
            from quard.plan.custom import STYLE
        case Kconfig():
            from quard.plan.kconfig import STYLE
        case KernelModule():
            from quard.plan.kernelmodule import STYLE
        case Make():
            from quard.plan.make import STYLE
        case Meson():
            from quard.plan.meson import STYLE
        case Python():
            from quard.plan.python import STYLE
        case ToolchainRuntime():
            from quard.plan.runtime import STYLE
        case _:
            raise AssertionError(type(recipe))
    return STYLE
