"""Modules of Python that are loaded when something first uses them.

Modules are imported at the top of a file, also those that a run with nothing to make does without.
inspect is the largest: dataclasses imports it, and uses it for classes without a docstring.
"""

from __future__ import annotations

import sys
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Any

_REMOVING = Lock()


class _Spare(ModuleType):
    """Stands for a module that is not loaded yet; `import` and `from ... import` take it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks each module for some
            raise AttributeError(name)
        return getattr(load(self), name)


def spare(*names: str) -> None:
    """Have modules loaded by the first use of an attribute; those loaded already stay."""
    for name in names:
        sys.modules.setdefault(name, _Spare(name))


def load(module: ModuleType) -> ModuleType:
    """Return the module that this one stands for; any other one as it is."""
    if not isinstance(module, _Spare):
        return module
    name = module.__name__
    with _REMOVING:  # not for the import: another thread's may wait for this one
        if sys.modules.get(name) is module:
            del sys.modules[name]
    found = import_module(name)
    module.__dict__.update(vars(found))  # found without __getattr__ from now on
    return found


def load_all() -> None:
    """Load all modules that are not loaded yet."""
    for module in list(sys.modules.values()):
        load(module)
