from typing import Any

from SCons.Node import Node

class Base(Node):
    name: str

class Dir(Base): ...

class File(Base):
    def get_csig(self) -> str: ...
    def get_ninfo(self) -> Any: ...
