"""What a failed gRPC call means for the use of its server."""

from __future__ import annotations

import re

import grpc
import grpc.aio
from buildgrid.common.protos.google.rpc.error_details_pb2 import RetryInfo
from buildgrid.common.protos.google.rpc.status_pb2 import Status
from google.protobuf.message import DecodeError

from quard.base.plain import one_line, short
from quard.remote.link import Busy, Limits, Refusal
from quard.sources import trust
from quard.sources.attempt import Failed
from quard.sources.response import Transient

CODES = {code.value[0]: code for code in grpc.StatusCode}
"""Number in a message -> status."""
_BUSY = frozenset(
    (
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNKNOWN,
    )
)
"""Answers for which a retry may help: a server cancels calls when it ends in order."""
_DENIED = frozenset(
    (
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    )
)
"""Answers that do not depend on the request's content."""
_DETAILS = "grpc-status-details-bin"
_PLACE = re.compile(r"([A-Z_]+: )?ipv[46]:\S+: ")
_MOST_TEXT = 300


_UNCONNECTED = ("handshaker shutdown", "connect() timed out", "before receiving SETTINGS")
"""What the library says if a connection could not be made in time."""
_LOST = "Internal error from Core"
"""What the library says if a call has ended while it sends, whatever the server's answer is."""


class Missing(Refusal):
    """The server does not have what was asked for."""


class Unprepared(Refusal):
    """The server lacks what the request needs (FAILED_PRECONDITION)."""


class Denied(Refusal):
    """The server does not do this at all, or not for this user."""


class Unheard(Busy):
    """The server has ended a call while a request was sent; its answer is not known."""


def failure(error: grpc.aio.AioRpcError, address: str, limits: Limits) -> Failed:
    """Return the failure for the error of a call; a Transient if it may pass."""
    code, text = error.code(), _text(error)
    if code is grpc.StatusCode.UNAVAILABLE:
        if late := trust.untimely(text):
            return Failed(f"TLS: {late}")
        if "CERTIFICATE_VERIFY_FAILED" in text:
            places = trust.places(address)
            return Failed(f"TLS: {text}\n  trusted here: {places}", hint=trust.ADVICE)
        if any(said in text for said in _UNCONNECTED):
            return Transient(f"no answer within {limits.connect:g} s", silent=True)
        return Transient(text)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Transient(f"no answer within {limits.silence:g} s, or the transfer is too slow")
    if code is grpc.StatusCode.INTERNAL and text == _LOST:
        return Unheard("the server has ended the call early")
    return refusal(code, text, _wait(error))


def refusal(code: grpc.StatusCode, text: str, wait: float = 0) -> Failed:
    """Return the failure for a server's answer that is no success.

    wait -- seconds that it asks to wait
    """
    text = short(one_line(text), _MOST_TEXT)
    text = f"{code.name}: {text}" if text else code.name
    if code is grpc.StatusCode.NOT_FOUND:
        return Missing(text)
    if code is grpc.StatusCode.FAILED_PRECONDITION:
        return Unprepared(text)
    if code in _DENIED:
        return Denied(text)
    return Busy(text, wait=wait) if code in _BUSY else Refusal(text)


def _text(error: grpc.aio.AioRpcError) -> str:
    """Return a server's or the library's explanation, without the addresses that it repeats."""
    text = (error.details() or "").rpartition("last error: ")[2]
    return short(one_line(_PLACE.sub("", text, count=1)), _MOST_TEXT)


def _wait(error: grpc.aio.AioRpcError) -> float:
    """Return the seconds that the server asks to wait; 0 if it does not."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            try:
                details = Status.FromString(value).details
                for detail in details:
                    info = RetryInfo()
                    if detail.Unpack(info):
                        return info.retry_delay.ToMilliseconds() / 1000
            except DecodeError:
                return 0
    return 0
