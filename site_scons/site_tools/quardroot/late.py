"""A dependency that is not a file, with content that is known only after its inputs are made."""

from __future__ import annotations

from collections.abc import Callable

import SCons.Node.Python


class Late(SCons.Node.Python.Value):
    """Represents any number of files, whichever of them this run makes.

    A target has it as its only such dependency, always the same one, so that the signatures of a
    run that builds one package and of a run that builds all are comparable. The files that this
    run makes are its own dependencies, so that it is evaluated after them.
    """

    def __init__(self, name: str, signature: Callable[[], str]) -> None:
        super().__init__(name)
        self._signature = signature

    def get_text_contents(self) -> str:
        """Return the text that SCons compares from run to run."""
        return self._signature()
