"""A server of the Remote Execution API: its channel, credentials, time limits and failures.

Only this module and those that import it load gRPC, which is installed when an address needs it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from typing import Any, TypeVar, cast

import grpc
import grpc.aio
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2 as messages,
)
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2_grpc_aio as services,
)

from quard.remote.address import Address
from quard.remote.credentials import Credentials
from quard.remote.grpc_failure import Unheard, failure
from quard.remote.grpc_login import channel_credentials, metadata
from quard.remote.link import Busy, Link, Refusal, Stopped
from quard.remote.loop import LOOP
from quard.sources.response import Transient

_T = TypeVar("_T")
_Q = TypeVar("_Q")
_A = TypeVar("_A")
_MOST_MESSAGE = 65 << 20
"""Bytes of a message that is received: a record, and the digests around it."""
_ALIVE_MS = 360_000
"""Milliseconds between questions whether a server is there: more than the five minutes that servers
demand (gRPC's guide to keepalive)."""

# It writes what it cannot decode to standard error, with a traceback.
logging.getLogger("grpc").addHandler(logging.NullHandler())


class Channel:
    """Calls to one server; several threads may use it at once.

    address -- grpc:// or grpcs://, with a user and password if it needs them
    credentials -- what the server gets besides
    link    -- says whether it is used
    """

    def __init__(self, address: str, credentials: Credentials, link: Link) -> None:
        self.link = link
        self._text = address
        self._address = Address.of(address)
        self._credentials = credentials
        self._opening = threading.Lock()
        self._lock = threading.RLock()  # a signal handler may call `close`
        self._channel: grpc.aio.Channel | None = None
        self._metadata: tuple[tuple[str, str], ...] = ()
        self._asking = threading.Lock()
        self._capabilities: messages.ServerCapabilities | None = None
        self._waiting: set[concurrent.futures.Future[Any]] = set()

    @property
    def instance(self) -> str:
        return self._address.instance

    def capabilities(self) -> messages.ServerCapabilities:
        """Return what the server can do; it is asked once. Raises Unusable, Stopped."""
        with self._asking:
            if self._capabilities is None:
                self._capabilities = self.link.persist(self._ask_capabilities)
            return self._capabilities

    def _ask_capabilities(self) -> messages.ServerCapabilities:
        request = messages.GetCapabilitiesRequest(instance_name=self.instance)
        found = self.ask(self.stub(services.CapabilitiesStub).GetCapabilities, request)
        cache, execution = found.cache_capabilities, found.execution_capabilities
        functions = {*cache.digest_function, execution.digest_function}
        if messages.DigestFunction.SHA256 not in functions:
            raise Refusal("it does not name files by their SHA-256")
        return found

    def stub(self, make: Callable[[grpc.aio.Channel], _T]) -> _T:
        """Return a service of the server. Raises Failed, Stopped."""
        with self._opening:
            if self._channel is None:
                self._metadata = metadata(self._text, self._credentials)
                self._channel = self._wait(self._open())
            return make(self._channel)

    async def _open(self) -> grpc.aio.Channel:
        limits = self.link.limits
        options = (
            ("grpc.primary_user_agent", "quardroot"),
            ("grpc.max_receive_message_length", _MOST_MESSAGE),
            # The first is the limit for a connection, in spite of its name.
            ("grpc.min_reconnect_backoff_ms", int(limits.connect * 1000)),
            ("grpc.initial_reconnect_backoff_ms", int(limits.pause * 1000)),
            ("grpc.max_reconnect_backoff_ms", int(limits.longest * 1000)),
            # With both, the kernel ends a connection over which nothing arrives any more, such as
            # one that a firewall has forgotten; the next attempt opens another one.
            ("grpc.keepalive_time_ms", _ALIVE_MS),
            ("grpc.keepalive_timeout_ms", int(limits.silence * 1000 / 2)),
        )
        if not self._address.secure:
            return grpc.aio.insecure_channel(self._address.target, options)
        secure = channel_credentials(self._text, self._credentials)
        return grpc.aio.secure_channel(self._address.target, secure, options)

    def ask(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[_Q, _A],
        request: _Q,
        *,
        size: int = 0,
        seconds: float = 0,
    ) -> _A:
        """Return the answer to a request.

        size    -- bytes of blobs that the request or the answer has
        seconds -- limit for a request without any; 0: the usual one
        Raises Failed, Stopped.
        """
        limits = self.link.limits
        seconds = seconds or limits.silence + size / limits.rate

        async def call() -> _A:
            return await method(request, timeout=seconds, metadata=self._metadata)

        return _readable(self._wait(call()))

    def listen(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[_Q, _A],
        request: _Q,
        *,
        seconds: float | None,
        silence: float,
        idle: Callable[[], None] | None = None,
    ) -> Iterator[_A]:
        """Yield the answers to a request; the call is cancelled if the caller stops early.

        seconds -- limit for the call; None: none
        silence -- limit for the time to its next answer, unless there is `idle`, which is called
                   after each `silence` then, and may raise
        Raises Failed, Stopped.
        """

        async def begin() -> grpc.aio.UnaryStreamCall[_Q, _A]:
            return method(request, timeout=seconds, metadata=self._metadata)

        async def following() -> _A | None:
            found = await asyncio.wait_for(call.read(), None if idle else silence)
            return None if found is grpc.aio.EOF else _readable(cast(_A, found))

        call = self._wait(begin())
        try:
            while (answer := self._wait(following(), silence, idle)) is not None:
                yield answer
        finally:
            self._end(call)

    def send(
        self,
        method: grpc.aio.StreamUnaryMultiCallable[_Q, _A],
        requests: Callable[[], Iterable[_Q]],
        *,
        seconds: float,
    ) -> _A:
        """Send several requests and return the answer; it may come before all are sent.

        seconds -- limit for the call
        Raises Failed, Stopped, and what `requests` raises.
        """
        try:
            return self._send(method, requests(), seconds)
        except Unheard:
            # Most servers that answer early do so before or after the first request.
            return self._send(method, requests(), seconds, self.link.limits.connect)

    def _send(
        self,
        method: grpc.aio.StreamUnaryMultiCallable[_Q, _A],
        requests: Iterable[_Q],
        seconds: float,
        patience: float = 0,
    ) -> _A:
        """See `send`.

        patience -- seconds to wait for an answer before the first and the second request
        """
        silence = self.link.limits.silence

        async def begin() -> grpc.aio.StreamUnaryCall[_Q, _A]:
            return method(timeout=seconds, metadata=self._metadata)

        async def early() -> None:
            await asyncio.wait((asyncio.ensure_future(call.code()),), timeout=patience)

        async def write(request: _Q) -> bool:
            try:
                await asyncio.wait_for(call.write(request), silence)
            except asyncio.InvalidStateError:  # it has ended meanwhile
                return False
            return not call.done()

        async def answer() -> _A:
            await call.done_writing()
            return await asyncio.wait_for(call, silence)

        call = self._wait(begin())
        try:
            for number, request in enumerate(requests):
                if patience and number < 2:
                    self._wait(early())
                if not self._wait(write(request)):
                    break
            return _readable(self._wait(answer()))
        finally:
            self._end(call)

    def _end(self, call: grpc.aio.Call) -> None:
        """Cancel a call that has not ended."""

        async def cancel() -> None:
            call.cancel()

        with suppress(RuntimeError):  # Python ends, and so does the connection
            LOOP.start(cancel())

    def _wait(
        self,
        work: Coroutine[Any, Any, _T],
        every: float = 0,
        idle: Callable[[], None] | None = None,
    ) -> _T:
        """Return the result of some work in the loop. Raises Failed, Stopped, and as `idle`."""
        try:
            future = LOOP.start(work)
        except RuntimeError:  # Python ends
            work.close()
            raise Stopped from None
        with self._lock:
            self._waiting.add(future)
        try:
            if self.link.stopped:
                raise Stopped
            while idle and not concurrent.futures.wait((future,), every).done:
                idle()
            return future.result()
        except concurrent.futures.CancelledError:
            raise Stopped from None
        except grpc.aio.AioRpcError as error:
            raise failure(error, self._text, self.link.limits) from None
        except TimeoutError:
            raise Transient("no more data arrived") from None
        finally:
            future.cancel()
            with self._lock:
                self._waiting.discard(future)

    def close(self) -> None:
        """End all calls, which raise Stopped if the link is stopped."""
        with self._lock:
            waiting, channel = [*self._waiting], self._channel
        for future in waiting:
            future.cancel()
        if channel:
            LOOP.start(channel.close())


def _readable(answer: _A | None) -> _A:
    """Return an answer, which is None if the library cannot decode it. Raises Failed."""
    if answer is None:
        raise Busy("its answer is no message of the Remote Execution API")
    return answer
