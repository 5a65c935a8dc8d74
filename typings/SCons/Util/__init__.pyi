from typing import TextIO

class Unbuffered:
    file: TextIO
    def __init__(self, file: TextIO) -> None: ...
