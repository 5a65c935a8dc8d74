"""A server of the Remote Execution API: blobs in memory, and failures as a test wants them.

It provokes what buildbox-casd does not do.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from buildgrid.common.protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as m
from buildgrid.common.protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as s
from buildgrid.common.protos.google.bytestream import bytestream_pb2 as b
from buildgrid.common.protos.google.bytestream import bytestream_pb2_grpc as bs
from buildgrid.common.protos.google.rpc.error_details_pb2 import RetryInfo
from buildgrid.common.protos.google.rpc.status_pb2 import Status
from google.protobuf.duration_pb2 import Duration

_CHUNK = 64 << 10


def capabilities() -> m.ServerCapabilities:
    """Return those of a server that takes results."""
    update = m.ActionCacheUpdateCapabilities(update_enabled=True)
    cache = m.CacheCapabilities(
        digest_function=[m.DigestFunction.SHA256], action_cache_update_capabilities=update
    )
    return m.ServerCapabilities(cache_capabilities=cache)


@dataclass
class State:
    """What the server has, what it was asked, and how it fails.

    blobs    -- SHA-256 -> content
    actions  -- key -> entry
    asked    -- the methods that were called, with their metadata
    keys     -- those whose entries were asked for
    fault    -- called with the method and the call before each answer; it may abort it, or wait
    send     -- the parts of a blob that is read as a stream; the usual ones if it returns None
    committed -- what is answered to a stream that was written; None: its size
    early    -- what is answered to a stream at once, before it is read; None: nothing
    forgetful -- whether the answers to several blobs are empty
    """

    base: str = ""
    capabilities: m.ServerCapabilities = field(default_factory=capabilities)
    blobs: dict[str, bytes] = field(default_factory=dict)
    actions: dict[str, m.ActionResult] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    fault: Callable[[str, grpc.ServicerContext], object] = lambda _method, _call: None
    send: Callable[[str], Iterable[bytes] | None] = lambda _sha256: None
    committed: int | None = None
    early: int | None = None
    forgetful: bool = False
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str) -> int:
        return sum(1 for asked, _ in self.asked if asked == method)

    def add(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.blobs[sha256] = content
        return sha256

    def begin(self, method: str, call: grpc.ServicerContext) -> None:
        found = {key: str(value) for key, value in call.invocation_metadata()}
        with self.lock:
            self.asked.append((method, found))
        self.fault(method, call)


class _Services(
    s.CapabilitiesServicer,
    s.ContentAddressableStorageServicer,
    s.ActionCacheServicer,
    bs.ByteStreamServicer,
):
    def __init__(self, state: State) -> None:
        self._state = state

    def GetCapabilities(
        self, request: m.GetCapabilitiesRequest, context: grpc.ServicerContext
    ) -> m.ServerCapabilities:
        del request
        self._state.begin("GetCapabilities", context)
        return self._state.capabilities

    def FindMissingBlobs(
        self, request: m.FindMissingBlobsRequest, context: grpc.ServicerContext
    ) -> m.FindMissingBlobsResponse:
        self._state.begin("FindMissingBlobs", context)
        missing = [each for each in request.blob_digests if each.hash not in self._state.blobs]
        return m.FindMissingBlobsResponse(missing_blob_digests=missing)

    def BatchReadBlobs(
        self, request: m.BatchReadBlobsRequest, context: grpc.ServicerContext
    ) -> m.BatchReadBlobsResponse:
        self._state.begin("BatchReadBlobs", context)
        answer = m.BatchReadBlobsResponse()
        for digest in request.digests if not self._state.forgetful else ():
            data = self._state.blobs.get(digest.hash)
            code = grpc.StatusCode.NOT_FOUND.value[0] if data is None else 0
            answer.responses.add(digest=digest, data=data or b"", status=Status(code=code))
        return answer

    def BatchUpdateBlobs(
        self, request: m.BatchUpdateBlobsRequest, context: grpc.ServicerContext
    ) -> m.BatchUpdateBlobsResponse:
        self._state.begin("BatchUpdateBlobs", context)
        answer = m.BatchUpdateBlobsResponse()
        for each in request.requests if not self._state.forgetful else ():
            self._state.blobs[each.digest.hash] = each.data
            answer.responses.add(digest=each.digest)
        return answer

    def GetActionResult(
        self, request: m.GetActionResultRequest, context: grpc.ServicerContext
    ) -> m.ActionResult:
        self._state.keys.append(request.action_digest.hash)
        self._state.begin("GetActionResult", context)
        found = self._state.actions.get(request.action_digest.hash)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such entry")
        return found

    def UpdateActionResult(
        self, request: m.UpdateActionResultRequest, context: grpc.ServicerContext
    ) -> m.ActionResult:
        self._state.begin("UpdateActionResult", context)
        self._state.actions[request.action_digest.hash] = request.action_result
        return request.action_result

    def Read(
        self, request: b.ReadRequest, context: grpc.ServicerContext
    ) -> Iterator[b.ReadResponse]:
        self._state.begin("Read", context)
        sha256 = request.resource_name.split("/")[-2]
        parts = self._state.send(sha256)
        if parts is None:
            data = self._state.blobs.get(sha256)
            if data is None:
                context.abort(grpc.StatusCode.NOT_FOUND, "no such blob")
            parts = (data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK))
        context.add_callback(self._state.ended.set)
        for part in parts:
            yield b.ReadResponse(data=part)

    def Write(
        self, request_iterator: Iterator[b.WriteRequest], context: grpc.ServicerContext
    ) -> b.WriteResponse:
        self._state.begin("Write", context)
        if self._state.early is not None:
            return b.WriteResponse(committed_size=self._state.early)
        name, data, finished = "", b"", False
        for request in request_iterator:
            name, finished = name or request.resource_name, request.finish_write
            assert request.write_offset == len(data)
            data += request.data
        assert finished
        self._state.blobs[name.split("/")[-2]] = data
        committed = self._state.committed
        return b.WriteResponse(committed_size=len(data) if committed is None else committed)

    def QueryWriteStatus(
        self, request: b.QueryWriteStatusRequest, context: grpc.ServicerContext
    ) -> b.QueryWriteStatusResponse:
        del request
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "")

    def GetTree(
        self, request: m.GetTreeRequest, context: grpc.ServicerContext
    ) -> Iterator[m.GetTreeResponse]:
        del request
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "")


@contextmanager
def running(
    tls: grpc.ServerCredentials | None = None,
    port: int = 0,
    state: State | None = None,
    add: Callable[[grpc.Server], None] = lambda _server: None,
    address: str = "127.0.0.1",
) -> Iterator[State]:
    """Serve over TCP, or over TLS with credentials.

    port -- 0, or one of ports.held
    add  -- adds further services
    """
    state = state or State()
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", int(port > 0))])
    services = _Services(state)
    s.add_CapabilitiesServicer_to_server(services, server)
    s.add_ContentAddressableStorageServicer_to_server(services, server)
    s.add_ActionCacheServicer_to_server(services, server)
    bs.add_ByteStreamServicer_to_server(services, server)
    add(server)
    place = f"{address}:{port}"
    port = server.add_secure_port(place, tls) if tls else server.add_insecure_port(place)
    state.base = f"{'grpcs' if tls else 'grpc'}://{place.rpartition(':')[0]}:{port}"
    server.start()
    try:
        yield state
    finally:
        server.stop(None).wait(10)


def first(
    times: int, code: grpc.StatusCode, method: str = "", wait: float | None = None
) -> Callable[[str, grpc.ServicerContext], None]:
    """Return a fault: the first calls of a method, or of all, end with a code.

    wait -- seconds after which the server asks to try again
    """
    left = [times]

    def fault(asked: str, call: grpc.ServicerContext) -> None:
        if method in ("", asked) and left[0]:
            left[0] -= 1
            if wait is not None:
                status = Status(code=code.value[0])
                delay = Duration()
                delay.FromMilliseconds(round(wait * 1000))
                status.details.add().Pack(RetryInfo(retry_delay=delay))
                details = ("grpc-status-details-bin", status.SerializeToString())
                call.set_trailing_metadata((details,))
            call.abort(code, "as the test says")

    return fault
