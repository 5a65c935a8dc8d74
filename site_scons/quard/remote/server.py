"""One server of a remote cache: requests with time limits and retries, and the end of its use.

A server that cannot be used is reported once; the run goes on without it. Credentials come from
~/.netrc through requests, or are a token.
"""

from __future__ import annotations

import contextlib
import io
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, TypeVar

import requests

from quard.base.plain import one_line, short
from quard.remote.credentials import Credentials
from quard.remote.transfer import Bearer, Outgoing, Session
from quard.sources import trust
from quard.sources.attempt import Failed
from quard.sources.response import Transient, body, failure

_T = TypeVar("_T")
_SUCCESS, _NOT_FOUND = (200, 201, 204), 404
_REDIRECTS = 5
_SHORT = 64 << 10
"""Bytes of a body that is read although nobody needs it."""


@dataclass(frozen=True)
class Limits:
    """Bounds for one request.

    connect, silence -- seconds to connect, and without any data
    slack, rate      -- a transfer may take `slack` seconds, and one more for each `rate` bytes
    attempts         -- number of attempts
    pause, longest   -- seconds before the second attempt, doubled for each; at most `longest`,
                        whatever the server asks for
    """

    connect: float = 5
    silence: float = 30
    slack: float = 60
    rate: int = 100_000
    attempts: int = 3
    pause: float = 0.5
    longest: float = 10


class Stopped(Exception):
    """The run is stopped, or ends."""


class Unusable(Exception):
    """The server cannot be used any more; that has been reported."""


class Server:
    """An HTTP cache; several threads may use it at once.

    address -- without a slash at the end
    host    -- its name for users
    credentials -- what the server gets besides
    tell    -- called with a line of text for the user
    """

    def __init__(
        self,
        address: str,
        host: str,
        credentials: Credentials,
        tell: Callable[[str], None],
        limits: Limits | None = None,
    ) -> None:
        self._address = address
        self.host = host
        self._credentials = credentials
        self._tell = tell
        self._limits = limits or Limits()
        self._threads = threading.local()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._given_up = False
        self.read_only = ""
        """Why the server takes no results from here; "" if it may."""

    @property
    def usable(self) -> bool:
        return not self._given_up

    def stop(self) -> None:
        """End all requests soon; later ones raise Stopped."""
        self._stopped.set()

    def size(self, path: str) -> int | None:
        """Return the size of what is there; None if nothing is, -1 if the size is not told.

        Raises Unusable, Stopped.
        """

        def ask() -> int | None:
            with self._request("HEAD", path) as response:
                if response.status_code == _NOT_FOUND:
                    return None
                self._require(response)
                length = response.headers.get("Content-Length", "")
                return int(length) if length.isdecimal() else -1

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

    def _receive(self, response: requests.Response, out: IO[bytes], most: int) -> None:
        started, present = time.monotonic(), 0
        for chunk in body(response):
            out.write(chunk[: most + 1 - present])
            present += len(chunk)
            if present > most:
                return
            self._check_pace(started, present)
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) != present:
            raise Transient("the connection was closed early")

    def _drain(self, response: requests.Response) -> None:
        """Read a short body that nobody needs, so that the connection can be used again."""
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) <= _SHORT:
            self._receive(response, io.BytesIO(), _SHORT)

    def _check_pace(self, started: float, present: int) -> None:
        if self._stopped.is_set():
            raise Stopped
        if time.monotonic() - started > self._limits.slack + present / self._limits.rate:
            raise Transient("the transfer is too slow")

    def put(self, path: str, file: Path) -> bool:
        """Send a file; return False if the server takes none from here, which is noted.

        Raises Unusable, Stopped, OSError.
        """

        def send() -> bool:
            with file.open("rb") as data:
                body = Outgoing(data, self._check_pace)
                # For an empty stream requests announces no length, which many servers refuse.
                with self._request("PUT", path, body if len(body) else None) as response:
                    self._require(response)
                    self._drain(response)
                    return True

        return self._persist(send, self._refused)

    def _refused(self, fault: Failed) -> bool:
        """Note that the server takes no results, if that is its answer. Raises Unusable."""
        if not isinstance(fault, _Refusal | _Busy):
            self._give_up(str(fault))
        self.read_only = self.read_only or str(fault)
        return False

    def _require(self, response: requests.Response) -> None:
        """Raise _Refusal or _Busy for a response that is no success."""
        status = response.status_code
        if status in _SUCCESS:
            return
        text = f"HTTP {status} {response.reason or ''}".rstrip()
        if response.is_redirect:
            text += f" to {short(one_line(response.headers['Location']))}"
        if status in (408, 429) or status >= 500:
            asked = response.headers.get("Retry-After", "")
            raise _Busy(text, wait=float(asked) if asked.isdecimal() else 0)
        raise _Refusal(text)

    def _request(
        self, method: str, path: str, data: Outgoing | None = None
    ) -> contextlib.closing[requests.Response]:
        if self._stopped.is_set():
            raise Stopped
        address, limits = f"{self._address}/{path}", self._limits
        # While a body is sent, the library waits as long as for a connection.
        timeout = (limits.silence if data else limits.connect), limits.silence
        try:
            # The body of HEAD is empty; what is not read would close the connection.
            stream = method != "HEAD"
            response = self._session().request(
                method, address, data=data, stream=stream, timeout=timeout, allow_redirects=True
            )
        except requests.RequestException as fault:
            raise failure(fault, self._address, timeout) from None
        except ssl.SSLError as fault:  # the certificate's file cannot be used
            raise Failed(f"TLS: {fault.reason or fault}") from None
        return contextlib.closing(response)

    def _session(self) -> requests.Session:
        """Return this thread's session: its connections stay open."""
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = Session()
            session.max_redirects = _REDIRECTS
            session.headers.update({"Accept-Encoding": "identity", "User-Agent": "quardroot"})
            if self._credentials.token:
                session.auth = Bearer(self._credentials.token)
            if self._credentials.certificate:
                session.cert = str(self._credentials.certificate)
            try:
                trust.mount(session, self._address)
            except trust.Unusable as fault:
                raise Failed(f"TLS: {fault}") from None
        return session

    def _persist(self, work: Callable[[], _T], end: Callable[[Failed], _T] | None = None) -> _T:
        """Do some work, again after failures that may pass.

        end -- is called with the last failure and returns the result; without it, the server is
               given up
        Raises Unusable, Stopped.
        """
        limits, end = self._limits, end or self._give_up_for
        for attempt in range(limits.attempts):
            if self._given_up:
                raise Unusable
            try:
                return work()
            except Transient as fault:
                if fault.silent or attempt + 1 == limits.attempts:
                    return end(fault)
                wait = max(limits.pause * 2**attempt, fault.wait)
                if self._stopped.wait(min(wait, limits.longest)):
                    raise Stopped from None
            except Failed as fault:
                return end(fault)
        raise AssertionError("the last attempt returns or raises")

    def _give_up_for(self, fault: Failed) -> NoReturn:
        self._give_up(str(fault))

    def _give_up(self, why: str) -> NoReturn:
        with self._lock:
            first, self._given_up = not self._given_up, True
        if first:
            why = why.replace("\n", ";")
            self._tell(f"the cache at {self.host} is not used any more in this run: {why}")
        raise Unusable from None


class _Refusal(Failed):
    """The server's answer is that it does not do what was asked."""


class _Busy(Transient):
    """The server's answer is that it cannot do it now."""
