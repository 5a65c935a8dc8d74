from collections.abc import Callable
from optparse import OptionParser
from typing import ClassVar

from SCons.Node import Node

OptionsParser: OptionParser

class BuildTask:
    targets: list[Node]
    prepare: ClassVar[Callable[[BuildTask], None]]
    needs_execute: ClassVar[Callable[[BuildTask], bool]]
