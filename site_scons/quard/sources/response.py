"""What a server's response or a failed connection means for a download."""

from __future__ import annotations

import email.utils
import errno
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC

import requests
import urllib3.exceptions

from quard.sources import trust
from quard.sources.attempt import Failed, Unreached
from quard.sources.part import PartOrigin

CHUNK = 256 << 10
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)")
_NUMBER = re.compile(r"[0-9]{1,18}")
_BUSY = (429, 503)
FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, ValueError)
"""Errors of a request without a response; the last two are for addresses and passwords."""
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)


class Transient(Failed):
    """A failure for which a retry may help.

    wait    -- seconds that the server asks to wait
    restart -- whether the bytes received so far must be discarded first
    """

    def __init__(
        self, text: str, *, wait: float = 0, restart: bool = False, silent: bool = False
    ) -> None:
        super().__init__(text, silent=silent)
        self.wait = wait
        self.restart = restart


def extent(
    response: requests.Response, there: int, origin: PartOrigin | None
) -> tuple[int, int | None]:
    """Return where the body begins in the file, and the file's length if the server reports it.

    Raises Failed if the response is no part of the file.
    """
    status = response.status_code
    if status == 200:
        return 0, announced(response)
    if status == 206 and there:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match and int(match[1]) == there:
            known = origin.length if origin else None
            total = known if match[2] == "*" else int(match[2])
            if known in (None, total):
                return there, total
        raise Transient("sent a range other than the requested one", restart=True)
    text = f"HTTP {status} {response.reason or ''}".rstrip()
    if status in _BUSY:
        raise Transient(text, wait=asked_wait(response))
    if status == 408 or status >= 500 or (status == 416 and there):
        raise Transient(text, restart=status == 416)
    raise Failed(text)


def body(response: requests.Response) -> Iterator[bytes]:
    """Yield the body as it was sent, in chunks as they arrive."""
    try:
        yield from chunks(lambda size: response.raw.read1(size, decode_content=False))
    except urllib3.exceptions.ReadTimeoutError:
        raise Transient("no more data arrived") from None
    except urllib3.exceptions.HTTPError:
        raise Transient("the connection was closed early") from None


def failure(fault: Exception, address: str, timeout: tuple[float, float]) -> Failed:
    """Return the failure for one of FAULTS; a Transient if it may pass."""
    if not isinstance(fault, requests.RequestException):
        return Failed(f"an address or a password that cannot be used: {fault}")
    if isinstance(fault, requests.ConnectTimeout):
        return Transient(f"no answer within {timeout[0]:g} s", silent=True)
    if isinstance(fault, requests.Timeout):
        return Transient(f"no answer within {timeout[1]:g} s")
    causes = list(_causes(fault))
    if isinstance(fault, requests.exceptions.ProxyError):
        return Failed(f"proxy: {causes[-1]}")
    if isinstance(fault, requests.exceptions.SSLError):
        return _untrusted(causes[-1], address)
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return Unreached("the host name is unknown")
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
            return Unreached(reason(cause))
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return Failed(reason(cause))
    if isinstance(causes[-1], TimeoutError) and causes[-1].errno is None:
        return Transient(f"no more data was taken within {timeout[0]:g} s")
    if isinstance(fault, requests.ConnectionError):
        return Transient(f"connection lost: {causes[-1]}")
    return Failed(str(fault))


def _untrusted(cause: BaseException, address: str) -> Failed:
    text = getattr(cause, "verify_message", "") or str(cause)
    if not trust.unknown_issuer(cause):
        return Failed(f"TLS: {trust.untimely(text) or text}")
    return Failed(f"TLS: {text}\n  trusted here: {trust.places(address)}", hint=trust.ADVICE)


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """Yield `fault` and the errors wrapped in it by requests and urllib3, innermost last."""
    seen: BaseException | None = fault
    while seen is not None:
        yield seen
        inner = [seen.__cause__, getattr(seen, "reason", None), *seen.args[::-1]]
        seen = next((one for one in inner if isinstance(one, BaseException)), None)


def announced(response: requests.Response) -> int | None:
    """Return the length of the body that the server reports; None without a usable one."""
    value = response.headers.get("Content-Length", "")
    return int(value) if _NUMBER.fullmatch(value) else None


def asked_wait(response: requests.Response) -> float:
    """Return the seconds that the server asks to wait, 0 if it does not (RFC 9110, 10.2.3).

    A moment is compared with the server's own clock, as far as it tells: ours may differ by years.
    """
    value = response.headers.get("Retry-After", "")
    if _NUMBER.fullmatch(value):
        return float(value)
    moment = _moment(value)
    if moment is None:
        return 0
    now = _moment(response.headers.get("Date", ""))
    return max(0.0, moment - (time.time() if now is None else now))


def _moment(value: str) -> float | None:
    """Return the moment of a date in a header, in seconds since 1970; None if it is none."""
    try:
        found = email.utils.parsedate_to_datetime(value)
        # -0000 gives a moment without a zone, which is in UTC (RFC 5322, 3.3).
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def reason(fault: OSError) -> str:
    return (fault.strerror or str(fault)).lower()


def chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK):
        yield chunk
