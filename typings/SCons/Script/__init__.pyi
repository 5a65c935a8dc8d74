from collections.abc import Callable
from typing import Any, NoReturn

from SCons.Node.FS import Dir as DirNode
from SCons.Script import Main as Main

ARGUMENTS: dict[str, str]
COMMAND_LINE_TARGETS: list[str]
Dir: Callable[[str], DirNode]

def Exit(value: int = 0) -> NoReturn: ...
def GetBuildFailures() -> list[Exception]: ...
def GetOption(name: str) -> Any: ...
def SetOption(name: str, value: object) -> None: ...
