"""How requests are sent with the library: redirects, a token, and a file that is sent."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import IO

import requests
from requests.auth import AuthBase

from quard.sources.response import chunks

_SAME_BODY = (307, 308)
"""Redirects that must be followed with the same method and body."""


class Session(requests.Session):
    """Does not follow a redirect that would send the request without its body."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        if resp.request.method == "PUT" and resp.status_code not in _SAME_BODY:
            return None
        return super().get_redirect_target(resp)


class Outgoing:
    """A file that is sent; `check` is called with the start and the bytes so far, and may raise.

    requests and urllib3 need its length, its parts, and a position to go back to.
    """

    def __init__(self, file: IO[bytes], check: Callable[[float, int], None]) -> None:
        self._file = file
        self._length = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._check = check
        self._started = time.monotonic()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return chunks(self.read)

    def read(self, size: int = -1) -> bytes:
        self._check(self._started, self._file.tell())
        return self._file.read(size)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int, whence: int = 0) -> int:
        return self._file.seek(position, whence)


class Bearer(AuthBase):
    """Sends a token; unlike a header of the session, ~/.netrc does not replace it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request
