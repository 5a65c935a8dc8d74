"""What a worker has made: checked as far as that is possible, and put into the store.

Each file must have its hash, each part must be an archive as this system packs them, and the record
must be that of the package. Whether the files are what the steps make is the worker's word.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2 as messages,
)
from google.protobuf.timestamp_pb2 import Timestamp

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import file_sha256, is_sha256
from quard.base.plain import one_line, short
from quard.dispatch import layout
from quard.execute.job import Job
from quard.execute.workers import Facts
from quard.plan.plan import Plan
from quard.remote.cas import Blob, Cas
from quard.store import blob
from quard.store.stores import Stores

_MOST = 64 << 20
"""Bytes of a result: an interface lists every symbol and header of a package."""
_END = 500
"""Characters of what a program printed last."""


class Wrong(Exception):
    """It is no result of the package."""


class Outcome:
    """What one worker has made of one package.

    host -- name of the server for users, if the worker has none
    """

    def __init__(self, answer: messages.ExecuteResponse, job: Job, cas: Cas, host: str) -> None:
        self._result = answer.result
        self._plan = job.plan
        self._cas = cas
        self.worker = one_line(short(self._result.execution_metadata.worker)) or host
        self._files = {each.path: each.digest for each in self._result.output_files}

    def take(self, stores: Stores, log: Path) -> Facts:
        """Put the blobs into the store, write the log to a file, and return the record.

        Raises Wrong, Unusable, Stopped, QuardError disk-full.
        """
        if self._result.exit_code:
            raise Wrong(f"failed at {self.worker}: {self._complaint()}")
        found = self._read(layout.RESULT)
        record = found.get("record") if isinstance(found, dict) else None
        digests = {name: self._digest(name) for name in (*layout.parts(self._plan), layout.LOG)}
        made = _checked(record, self._plan, {name: each.hash for name, each in digests.items()})
        for name, digest in sorted(digests.items()):
            self._fetch(stores, name, digest)
        log.parent.mkdir(parents=True, exist_ok=True)
        if not stores.copy(digests[layout.LOG].hash, log):
            raise Wrong("its log has just been removed from the store")
        with log.open("a", encoding="utf-8") as file:
            file.write(f"==> built by {self.worker}: {self.times()}\n")
        return {**made, "worker": self.worker}

    def times(self) -> str:
        """Return for users how long the worker took for what."""
        given = self._result.execution_metadata
        steps = (
            ("waited", given.queued_timestamp, given.worker_start_timestamp),
            ("input", given.input_fetch_start_timestamp, given.input_fetch_completed_timestamp),
            ("ran", given.execution_start_timestamp, given.execution_completed_timestamp),
            (
                "output",
                given.output_upload_start_timestamp,
                given.output_upload_completed_timestamp,
            ),
        )
        known = (
            (name, _seconds(end) - _seconds(begin)) for name, begin, end in steps if begin.seconds
        )
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in known) or "no times given"

    def _complaint(self) -> str:
        """Return why the program failed, as far as it has said so."""
        if f"{layout.OUT}/{layout.RESULT}" in self._files:
            found = self._read(layout.RESULT)
            error = found.get("error") if isinstance(found, dict) else None
            if isinstance(error, dict):
                return one_line(short(str(error.get("message"))))
        said = self._result.stderr_raw or self._bytes(self._result.stderr_digest)
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        return one_line(last[-_END:]) or f"status {self._result.exit_code}"

    def _digest(self, name: str) -> messages.Digest:
        found = self._files.get(f"{layout.OUT}/{name}")
        if found is None or not is_sha256(found.hash):
            raise Wrong(f"{self.worker} has left no {name}")
        return found

    def _read(self, name: str) -> Any:
        try:
            return json.loads(self._bytes(self._digest(name)))
        except (ValueError, RecursionError):
            raise Wrong(f"{self.worker} has left a damaged {name}") from None

    def _bytes(self, digest: messages.Digest) -> bytes:
        """Return a small blob; empty if the server does not have it intact."""
        out = io.BytesIO()
        if not 0 < digest.size_bytes <= _MOST or not self._cas.read(
            digest.hash, digest.size_bytes, out
        ):
            return b""
        content = out.getvalue()
        return content if Blob.of(content).sha256 == digest.hash else b""

    def _fetch(self, stores: Stores, name: str, digest: messages.Digest) -> None:
        """Put an output into the store. Raises Wrong for bytes that are not what they must be."""
        store = stores.home(local=False)
        if store.verify(digest.hash):
            self._require_archive(name, store.path(digest.hash))
            return
        with store.scratch() as folder:
            place = folder / "blob"
            with place.open("w+b") as out:
                there = self._cas.read(digest.hash, digest.size_bytes, out)
            if not there:
                raise Wrong(f"the {name} part that {self.worker} has made is gone")
            if file_sha256(place) != digest.hash:
                raise Wrong(f"the {name} part that {self.worker} has made arrived with other bytes")
            self._require_archive(name, place)
            store.add(place)

    def _require_archive(self, name: str, place: Path) -> None:
        """Raise Wrong for a part that is none; a log need not be one."""
        if name == layout.LOG:
            return
        try:
            blob.members(place)
        except QuardError as error:
            raise Wrong(f"the {name} part of {self.worker} is no archive: {error.detail}") from None


def _checked(record: Any, plan: Plan, digests: Mapping[str, str]) -> Facts:
    """Return a record. Raises Wrong for one that is not of this package with these blobs."""
    expected = {
        "name": plan.name,
        "version": plan.version,
        "plan": plan.identity,
        "local": False,
        "blobs": digests,
    }
    if not isinstance(record, dict) or record.keys() != {*expected, "licenses", "interface"}:
        raise Wrong("its record is damaged")
    try:
        canonical.digest(record)
    except (TypeError, ValueError, RecursionError):  # the store could not keep it
        raise Wrong("its record is damaged") from None
    if any(record[name] != value for name, value in expected.items()):
        raise Wrong("its record is that of another result")
    licenses = record["licenses"]
    if not isinstance(record["interface"], dict) or not isinstance(licenses, dict):
        raise Wrong("its record is damaged")
    if licenses.keys() != set(plan.licenses) or not all(
        value is None or is_sha256(value) for value in licenses.values()
    ):
        raise Wrong("its record has other licences than the recipe")
    return record


def _seconds(moment: Timestamp) -> float:
    return float(moment.seconds) + float(moment.nanos) / 1e9
