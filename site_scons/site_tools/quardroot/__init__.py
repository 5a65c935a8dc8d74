"""The SCons tool: `Environment(tools=["quardroot"])` gives the builders of the SConstruct.

Package, Rootfs, Image and Source are ordinary builders: a project's own SConscript can depend on
what they make and use it.
"""

from __future__ import annotations

from SCons.Environment import Base

from . import builders


def generate(env: Base) -> None:
    """Add the builders to `env` (SCons' tool protocol)."""
    builders.generate(env)


def exists(env: Base) -> bool:
    """Tell that the tool can be used: it brings all it needs."""
    del env
    return True
