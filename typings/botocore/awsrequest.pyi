from collections.abc import Mapping

class AWSRequest:
    headers: Mapping[str, str]
    def __init__(
        self, method: str | None = None, url: str | None = None, *, data: object = None
    ) -> None: ...
