from typing import Any

executing: int
up_to_date: int
executed: int
failed: int

class Node:
    attributes: Any
    def get_abspath(self) -> str: ...
    def get_state(self) -> int: ...
