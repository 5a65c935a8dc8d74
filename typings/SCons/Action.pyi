from collections.abc import Callable, Sequence
from typing import Any

class ActionBase: ...

class _ActionAction(ActionBase):
    def __init__(
        self,
        cmdstr: str | None = ...,
        strfunction: Callable[..., str] | None = ...,
        varlist: Sequence[str] = ...,
    ) -> None: ...

class FunctionAction(_ActionAction):
    execfunction: Callable[..., Any]
    def __init__(self, execfunction: Callable[..., Any], kw: dict[str, Any]) -> None: ...
    def get_presig(self, target: Any, source: Any, env: Any, executor: Any = None) -> bytes: ...
