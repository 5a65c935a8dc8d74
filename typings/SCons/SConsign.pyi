from collections.abc import Callable

from SCons.dblite import _Dblite
from SCons.Node import Node

class DB:
    to_be_merged: dict[str, Node]

sig_files: list[DB]
DB_sync_list: list[_Dblite]
write: Callable[[], None]
