from SCons.Node import Node

class Value(Node):
    def __init__(
        self, value: object, built_value: object = None, name: str | None = None
    ) -> None: ...
    def get_text_contents(self) -> str: ...
