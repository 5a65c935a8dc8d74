"""The SCons tool: `Environment(tools=["quardroot"])` gives the builders of the SConstruct.

Package, Rootfs, Image and Source are ordinary builders: a project's own SConscript can use their
targets and depend on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from SCons.Environment import Base


def generate(env: Base) -> None:
    """Add the builders to `env` (SCons' tool protocol)."""
    from . import builders  # noqa: PLC0415 - they need SCons, which `early` does without

    builders.generate(env)


def exists(env: Base) -> bool:
    """Return that the tool is available: it has no further requirements."""
    del env
    return True
