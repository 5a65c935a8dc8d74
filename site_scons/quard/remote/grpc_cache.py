"""A remote cache on a server of the Remote Execution API: its action cache and its blobs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2 as messages,
)
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2_grpc_aio as services,
)

from quard.remote.cas import Blob, Cas
from quard.remote.credentials import Credentials
from quard.remote.grpc_failure import Missing
from quard.remote.link import Link, Refusal
from quard.remote.reapi import Channel
from quard.remote.transport import MOST_RECORD

_KEY_SIZE = 64
"""The size in the digest of a key, which is no blob: servers want one that is not 0."""
_INLINE = 2 << 20
"""Bytes up to which a record is within its entry: servers accept messages of 4 MiB."""


class GrpcCache:
    """See quard.remote.transport.Transport."""

    def __init__(self, address: str, credentials: Credentials, link: Link) -> None:
        self.link = link
        self._channel = Channel(address, credentials, link)
        self._cas = Cas(self._channel)

    def entry(self, key: str) -> bytes | None:
        self._channel.capabilities()
        request = messages.GetActionResultRequest(
            instance_name=self._channel.instance,
            action_digest=_digest(key),
            inline_stdout=True,
            inline_stderr=True,
        )

        def ask() -> messages.ActionResult | None:
            try:
                return self._channel.ask(self._actions().GetActionResult, request)
            except Missing:
                return None

        found = self.link.persist(ask)
        return self._whole(found) if found else None

    def _whole(self, entry: messages.ActionResult) -> bytes | None:
        """Return an entry with the record in it, which servers may keep as a blob."""
        for raw, digest in (
            ("stdout_raw", entry.stdout_digest),
            ("stderr_raw", entry.stderr_digest),
        ):
            if getattr(entry, raw) or not 0 < digest.size_bytes <= MOST_RECORD:
                continue
            out = io.BytesIO()
            if not self._cas.read(digest.hash, digest.size_bytes, out):
                return None
            setattr(entry, raw, out.getvalue())
        return entry.SerializeToString()

    def put_entry(self, key: str, data: bytes) -> bool:
        if not self._writable():
            return False
        entry = messages.ActionResult.FromString(data)
        if len(entry.stdout_raw) > _INLINE:
            record = Blob.of(entry.stdout_raw)
            if not self._cas.write([record], self.link.refused):
                return False
            entry.stdout_digest.CopyFrom(record.digest())
            entry.stdout_raw = b""
        request = messages.UpdateActionResultRequest(
            instance_name=self._channel.instance, action_digest=_digest(key), action_result=entry
        )

        def ask() -> bool:
            self._channel.ask(self._actions().UpdateActionResult, request)
            return True

        return self.link.persist(ask, self.link.refused)

    def _writable(self) -> bool:
        """Return whether the server says that entries can be sent to it; else note it."""
        cache = self._channel.capabilities().cache_capabilities
        if not cache.action_cache_update_capabilities.update_enabled:
            return self.link.refused(Refusal("it does not allow updates of its action cache"))
        return True

    def missing(self, sizes: Mapping[str, int]) -> frozenset[str]:
        return self._cas.missing(sizes)

    def get(self, sha256: str, size: int, out: IO[bytes]) -> bool:
        return self._cas.read(sha256, size, out)

    def put(self, blobs: Mapping[str, Path]) -> bool:
        return self._writable() and self._cas.write(_files(blobs), self.link.refused)

    def close(self) -> None:
        self.link.stop()
        self._channel.close()

    def _actions(self) -> services.ActionCacheStub:
        return self._channel.stub(services.ActionCacheStub)


def _digest(key: str) -> messages.Digest:
    return messages.Digest(hash=key, size_bytes=_KEY_SIZE)


def _files(blobs: Mapping[str, Path]) -> Iterable[Blob]:
    for sha256, path in sorted(blobs.items()):
        yield Blob(sha256, path.stat().st_size, path)
