from collections.abc import Callable, Sequence

from SCons.Environment import Base
from SCons.Executor import Executor
from SCons.Node import Node

class ActionBase: ...

class _ActionAction(ActionBase):
    def __init__(
        self,
        cmdstr: str | None = ...,
        strfunction: Callable[..., str] | None = ...,
        varlist: Sequence[str] = ...,
    ) -> None: ...

class FunctionAction(_ActionAction):
    execfunction: Callable[[list[Node], list[Node], Base], str | None]
    def get_presig(
        self,
        target: Sequence[Node],
        source: Sequence[Node],
        env: Base,
        executor: Executor | None = None,
    ) -> bytes: ...
