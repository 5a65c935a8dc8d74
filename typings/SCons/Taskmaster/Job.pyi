from collections.abc import Callable
from typing import ClassVar

class InterruptState:
    set: ClassVar[Callable[[InterruptState], None]]
