"""What a build style needs, whatever the recipe says."""

from __future__ import annotations

from quard.base.record import Record, record
from quard.model import KernelModule, Python, Recipe


@record
class Implied(Record):
    """Packages and options of the kernel, as in the recipe's fields of these names."""

    needs: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()
    kernel: tuple[str, ...] = ()


_NONE = Implied()
_MODULE = Implied(kernel=("MODULES=y",))
_PYTHON = Implied(natives=("wheel-tools",), runtime=("python3",))


def implied(recipe: Recipe) -> Implied:
    """Return what is added to the fields of a recipe."""
    if isinstance(recipe, KernelModule):
        return _MODULE
    return _PYTHON if isinstance(recipe, Python) else _NONE
