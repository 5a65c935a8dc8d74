"""Blobs of a server of the Remote Execution API: which are missing, reading and writing.

Small blobs are sent several in a request, others as streams.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import grpc
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2 as messages,
)
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2_grpc_aio as services,
)
from buildgrid.common.protos.google.bytestream import bytestream_pb2 as stream
from buildgrid.common.protos.google.bytestream.bytestream_pb2_grpc_aio import ByteStreamStub
from buildgrid.common.protos.google.rpc.status_pb2 import Status

from quard.remote.grpc_failure import CODES, Missing, refusal
from quard.remote.link import Busy
from quard.remote.reapi import Channel
from quard.sources.attempt import Failed
from quard.sources.response import Transient

_BATCH = 3 << 20
"""Bytes of the blobs in one request: servers accept messages of 4 MiB."""
_SMALL = 1 << 20
"""Bytes up to which a blob is sent with others."""
_AROUND = 256
"""Bytes of a message for a blob, besides the blob."""
_ASKED = 20_000
"""Blobs in one question: each takes about 80 bytes."""
_CHUNK = 256 << 10


class Blob(NamedTuple):
    """A blob that is sent, in memory or in a file."""

    sha256: str
    size: int
    content: bytes | Path

    @classmethod
    def of(cls, content: bytes) -> Blob:
        return cls(hashlib.sha256(content).hexdigest(), len(content), content)

    def digest(self) -> messages.Digest:
        return messages.Digest(hash=self.sha256, size_bytes=self.size)

    def read(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def chunks(self) -> Iterator[bytes]:
        """Yield its parts; an empty one has one empty part."""
        if isinstance(self.content, bytes):
            for start in range(0, max(self.size, 1), _CHUNK):
                yield self.content[start : start + _CHUNK]
            return
        with self.content.open("rb") as file:
            for _ in range(0, max(self.size, 1), _CHUNK):
                yield file.read(_CHUNK)


class Cas:
    """The blobs of one server; several threads may use it at once."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._link = channel.link

    def missing(self, sizes: Mapping[str, int]) -> frozenset[str]:
        """Return those of the blobs that the server does not have.

        sizes -- SHA-256 -> size in bytes
        Raises Unusable, Stopped.
        """
        self._channel.capabilities()
        digests = [messages.Digest(hash=sha, size_bytes=sizes[sha]) for sha in sorted(sizes)]
        found: set[str] = set()
        for start in range(0, len(digests), _ASKED):
            request = messages.FindMissingBlobsRequest(
                instance_name=self._channel.instance,
                blob_digests=digests[start : start + _ASKED],
            )

            def ask(request: messages.FindMissingBlobsRequest = request) -> set[str]:
                answer = self._channel.ask(self._storage().FindMissingBlobs, request)
                return {digest.hash for digest in answer.missing_blob_digests}

            found |= self._link.persist(ask)
        return frozenset(found & sizes.keys())

    def read(self, sha256: str, size: int, out: IO[bytes]) -> bool:
        """Write a blob to a file; return False if the server does not have it.

        What it sends is not checked, but no more than one byte above `size` is written.
        Raises Unusable, Stopped.
        """
        self._channel.capabilities()

        def attempt() -> bool:
            out.seek(0)
            out.truncate()
            try:
                if size <= min(_SMALL, self._batch()):
                    out.write(self._read_small(sha256, size)[: size + 1])
                else:
                    self._read_stream(sha256, size, out)
            except Missing:
                return False
            return True

        return self._link.persist(attempt)

    def _read_small(self, sha256: str, size: int) -> bytes:
        if not size:  # each server has the empty blob, and some do not send it
            return b""
        request = messages.BatchReadBlobsRequest(
            instance_name=self._channel.instance,
            digests=[messages.Digest(hash=sha256, size_bytes=size)],
        )
        answer = self._channel.ask(self._storage().BatchReadBlobs, request, size=size)
        for found in answer.responses:
            if found.digest.hash == sha256:
                _require(found.status)
                return found.data
        raise Busy("its answer does not have the blob that was asked for")

    def _read_stream(self, sha256: str, size: int, out: IO[bytes]) -> None:
        request = stream.ReadRequest(resource_name=self._resource(f"blobs/{sha256}/{size}"))
        method = self._channel.stub(ByteStreamStub).Read
        limits, started, present = self._link.limits, time.monotonic(), 0
        seconds, silence = limits.seconds(size), limits.silence
        for answer in self._channel.listen(method, request, seconds=seconds, silence=silence):
            out.write(answer.data[: size + 1 - present])
            present += len(answer.data)
            if present > size:
                return
            self._link.check_pace(started, present)

    def write(self, blobs: Iterable[Blob], end: Callable[[Failed], bool] | None = None) -> bool:
        """Send blobs; return True, or what `end` returns.

        end -- see Link.persist
        Raises Unusable, Stopped, OSError.
        """
        self._channel.capabilities()
        batches, large = self._batches(blobs)
        attempts = [partial(self._write_batch, batch) for batch in batches]
        attempts += [partial(self._write_stream, blob) for blob in large]
        return all(self._link.persist(attempt, end) for attempt in attempts)

    def _batches(self, blobs: Iterable[Blob]) -> tuple[list[list[Blob]], list[Blob]]:
        """Return the small blobs, several for each request, and the others."""
        most, batches, large, present = self._batch(), list[list[Blob]](), list[Blob](), 0
        for blob in blobs:
            if blob.size + _AROUND > min(_SMALL, most):
                large.append(blob)
                continue
            if not batches or present + blob.size + _AROUND > most:
                batches.append([])
                present = 0
            batches[-1].append(blob)
            present += blob.size + _AROUND
        return batches, large

    def _write_batch(self, blobs: list[Blob]) -> bool:
        request = messages.BatchUpdateBlobsRequest(
            instance_name=self._channel.instance,
            requests=[
                messages.BatchUpdateBlobsRequest.Request(digest=blob.digest(), data=blob.read())
                for blob in blobs
            ],
        )
        size = sum(blob.size for blob in blobs)
        answer = self._channel.ask(self._storage().BatchUpdateBlobs, request, size=size)
        taken = {found.digest.hash for found in answer.responses}
        for found in answer.responses:
            _require(found.status)
        if not taken >= {blob.sha256 for blob in blobs}:
            raise Busy("its answer does not have all blobs that were sent")
        return True

    def _write_stream(self, blob: Blob) -> bool:
        name = self._resource(f"uploads/{uuid.uuid4()}/blobs/{blob.sha256}/{blob.size}")

        def requests() -> Iterator[stream.WriteRequest]:
            offset, started = 0, time.monotonic()
            for data in blob.chunks():
                self._link.check_pace(started, offset)
                yield stream.WriteRequest(
                    resource_name="" if offset else name,
                    write_offset=offset,
                    data=data,
                    finish_write=offset + len(data) == blob.size,
                )
                offset += len(data)

        method, seconds = self._channel.stub(ByteStreamStub).Write, self._link.limits.seconds
        answer = self._channel.send(method, requests, seconds=seconds(blob.size))
        # -1: it had the blob already (for a compressed one).
        if answer.committed_size not in (blob.size, -1):
            raise Transient(f"it took {answer.committed_size} of {blob.size} bytes")
        return True

    def _batch(self) -> int:
        """Return the bytes of the blobs in one request."""
        limit = self._channel.capabilities().cache_capabilities.max_batch_total_size_bytes
        return min(limit or _BATCH, _BATCH)

    def _resource(self, name: str) -> str:
        return f"{self._channel.instance}/{name}".lstrip("/")

    def _storage(self) -> services.ContentAddressableStorageStub:
        return self._channel.stub(services.ContentAddressableStorageStub)


def _require(status: Status) -> None:
    """Raise Failed for a status that is no success."""
    if status.code:
        raise refusal(CODES.get(status.code, grpc.StatusCode.UNKNOWN), status.message)
