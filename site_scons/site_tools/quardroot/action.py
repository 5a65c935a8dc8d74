"""Actions whose signature is a key that the caller gives, never the code that runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import SCons.Action
from SCons.Environment import Base
from SCons.Executor import Executor
from SCons.Node import Node

Function = Callable[[list[Node], list[Node], Base], str | None]
"""The function of an action, for targets, sources and environment; it returns text on failure."""


class KeyedAction(SCons.Action.FunctionAction):
    """A function action signed by the construction variable KEY.

    SCons signs a function by its bytecode, which misses changed helpers and differs between
    versions of Python. Here the plan's hash is the identity: a change of the engine rebuilds
    nothing, and a changed plan rebuilds its package.
    """

    def __init__(self, function: Function) -> None:
        # Not FunctionAction's own: to sign the function, it visits everything that the function
        # can reach. That took half of a null build and evaluated lazy attributes.
        SCons.Action._ActionAction.__init__(self, strfunction=None)
        self.execfunction = function

    def get_presig(
        self,
        target: Sequence[Node],
        source: Sequence[Node],
        env: Base,
        executor: Executor | None = None,
    ) -> bytes:
        """Return the whole signature: SCons takes longer to look a variable up for it."""
        return b"quardroot" + str(env.get("KEY", "")).encode()
