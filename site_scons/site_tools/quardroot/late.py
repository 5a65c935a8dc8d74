"""A dependency that is no file, and whose content is known only when all before it is made."""

from __future__ import annotations

from collections.abc import Callable

import SCons.Node.Python


class Late(SCons.Node.Python.Value):
    """Stands for any number of files, whichever of them this run makes.

    What is made gets it as one dependency, always the same one, so that a run which builds one
    package and a run which builds all of them compare with each other. What this run makes of the
    files are its own dependencies: it is looked at after them.
    """

    def __init__(self, name: str, signature: Callable[[], str]) -> None:
        super().__init__(name)
        self._signature = signature

    def get_text_contents(self) -> str:
        """Return what is compared from run to run."""
        return self._signature()
