"""Requests to an HTTP server of a remote cache, with time limits and retries.

Credentials come from ~/.netrc through requests, or are a token, or sign requests to a bucket.
"""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from functools import cached_property
from typing import IO, TypeVar

import requests
from requests.auth import AuthBase

from quard.base.plain import one_line, short
from quard.base.threads import Threads
from quard.remote.credentials import Credentials
from quard.remote.link import Busy, Link, Refusal, Stopped
from quard.remote.transfer import Bearer, Outgoing, Session
from quard.sources import trust
from quard.sources.attempt import Failed
from quard.sources.response import FAULTS, Transient, announced, asked_wait, body, failure

_T = TypeVar("_T")
_SUCCESS, _NOT_FOUND = (200, 201, 204), 404
_REDIRECTS = 5
_POLL = 0.1
_SHORT = 64 << 10
"""Bytes of a body that is read although nobody needs it."""


class Server:
    """An HTTP cache; several threads may use it at once.

    address -- without a slash at the end
    credentials -- what the server gets besides
    link    -- says whether it is used
    """

    def __init__(self, address: str, credentials: Credentials, link: Link) -> None:
        self._address = address
        self._credentials = credentials
        self._link = link
        self._threads = threading.local()
        self._deciding = threading.Lock()

    def size(self, path: str) -> int | None:
        """Return the size of what is there; None if nothing is, -1 if the size is not told.

        Raises Unusable, Stopped.
        """

        def ask() -> int | None:
            with self._request("HEAD", path) as response:
                if response.status_code == _NOT_FOUND:
                    return None
                self._require(response)
                length = announced(response)
                return -1 if length is None else length

        return self._persist(ask)

    def get(self, path: str, out: IO[bytes], most: int) -> bool:
        """Write what is there to a file; return False if nothing is.

        most -- no more bytes than these and one are written: the caller sees that it is too much
        Raises Unusable, Stopped.
        """

        def fetch() -> bool:
            out.seek(0)
            out.truncate()
            with self._request("GET", path) as response:
                if response.status_code == _NOT_FOUND:
                    self._drain(response)
                    return False
                self._require(response)
                self._receive(response, out, most)
                return True

        return self._persist(fetch)

    def _persist(self, work: Callable[[], _T], end: Callable[[Failed], _T] | None = None) -> _T:
        """See Link.persist; Stopped is raised at once when the run is stopped."""

        def attempt() -> _T:
            doing = self._beside().submit(work)
            while not wait((doing,), _POLL).done:
                if self._link.stopped:
                    raise Stopped
            return doing.result()

        return self._link.persist(attempt, end)

    def _beside(self) -> Threads:
        """Return the thread that does the requests of this one.

        The library waits for a silent server as long as its limits say. Nothing ends that, so a
        run that is stopped leaves the thread alone.
        """
        found: Threads | None = getattr(self._threads, "beside", None)
        if found is None:
            found = self._threads.beside = Threads(1, "request")
        return found

    def _receive(self, response: requests.Response, out: IO[bytes], most: int) -> None:
        started, present = time.monotonic(), 0
        for chunk in body(response):
            out.write(chunk[: most + 1 - present])
            present += len(chunk)
            if present > most:
                return
            self._link.check_pace(started, present)
        if announced(response) not in (None, present):
            raise Transient("the connection was closed early")

    def _drain(self, response: requests.Response) -> None:
        """Read a short body that nobody needs, so that the connection can be used again."""
        length = announced(response)
        if length is not None and length <= _SHORT:
            self._receive(response, io.BytesIO(), _SHORT)

    def put(self, path: str, file: IO[bytes]) -> bool:
        """Send a file; return False if the server takes none from here, which is noted.

        Raises Unusable, Stopped, OSError.
        """

        def send() -> bool:
            body = Outgoing(file, self._link.check_pace)
            # For an empty stream requests announces no length, which many servers refuse.
            with self._request("PUT", path, body if len(body) else None) as response:
                self._require(response)
                self._drain(response)
                return True

        return self._persist(send, self._link.refused)

    def _require(self, response: requests.Response) -> None:
        """Raise Refusal or Busy for a response that is no success."""
        status = response.status_code
        if status in _SUCCESS:
            return
        text = f"HTTP {status} {response.reason or ''}".rstrip()
        if response.is_redirect:
            text += f" to {short(one_line(response.headers['Location']))}"
        if status in (408, 429) or status >= 500:
            raise Busy(text, wait=asked_wait(response))
        raise Refusal(text)

    def _request(
        self, method: str, path: str, data: Outgoing | None = None
    ) -> contextlib.closing[requests.Response]:
        address, limits = f"{self._address}/{path}", self._link.limits
        # While a body is sent, the library waits as long as for a connection.
        timeout = (limits.silence if data else limits.connect), limits.silence
        try:
            # The body of HEAD is empty; what is not read would close the connection.
            stream = method != "HEAD"
            response = self._session().request(
                method, address, data=data, stream=stream, timeout=timeout, allow_redirects=True
            )
        except FAULTS as fault:
            raise failure(fault, self._address, timeout) from None
        return contextlib.closing(response)

    @cached_property
    def _auth(self) -> AuthBase | None:
        if self._credentials.region:
            # Loaded by those who have a bucket: it is not installed for others.
            from quard.remote.s3 import Signed  # noqa: PLC0415

            return Signed(self._credentials.region)
        value = self._credentials.bearer()
        return Bearer(value) if value else None

    def _session(self) -> requests.Session:
        """Return this thread's session: its connections stay open."""
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = Session()
            session.max_redirects = _REDIRECTS
            session.headers.update({"Accept-Encoding": "identity", "User-Agent": "quardroot"})
            with self._deciding:
                session.auth = self._auth
            try:
                if path := self._credentials.certificate:
                    trust.own_certificate(path)
                    session.cert = str(path)
                trust.mount(session, self._address)
            except trust.Unusable as fault:
                raise Failed(f"TLS: {fault}") from None
        return session
