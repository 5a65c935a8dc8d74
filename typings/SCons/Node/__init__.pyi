executing: int
up_to_date: int
executed: int
failed: int

class Node:
    def get_abspath(self) -> str: ...
    def get_state(self) -> int: ...
