"""Reading and writing the small files that record the result of a unit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import content, is_sha256, replace
from quard.base.record import Record, record
from quard.ledger.basis import RECORD


@record
class Results(Record):
    """The paths of the small files of one unit.

    result -- its key and the digests of its parts; written last, the only one that SCons watches
    record -- of a package: everything about the result
    basis  -- what the result was made from: the plan, the inputs, what executed it
    earlier -- of a package: the interface before this one, to report to dependants what changed
    trees   -- of a package: what was in the local trees that it was made from (ledger.listings)
    """

    folder: Path
    name: str

    @property
    def result(self) -> Path:
        return self.folder / f"{self.name}.json"

    @property
    def record(self) -> Path:
        return self.folder / f"{self.name}.record.json"

    @property
    def basis(self) -> Path:
        return self.folder / f"{self.name}.basis.json"

    @property
    def earlier(self) -> Path:
        return self.folder / f"{self.name}.earlier.json"

    @property
    def trees(self) -> Path:
        return self.folder / f"{self.name}.trees.json"


@record
class Result(Record):
    """The content of a unit's result file.

    key     -- hash over what it was made from
    archive -- digest of the archive that was unpacked; "" if there was none
    sealed  -- whether it was made in a sandbox; None if it needs none
    parts   -- name -> digest, of the parts that are inputs of other units
    """

    key: str
    archive: str
    sealed: bool | None
    parts: Mapping[str, str]


def read_result(results: Results) -> Result | None:
    """Return the result; None if there is none or the file is damaged."""
    try:
        found = canonical.unsealed(content(f"{results.folder}/{results.name}.json"))
        if found is None or found["record"] != RECORD:
            return None
        return Result(found["key"], found["archive"], found["sealed"], found["parts"])
    except (OSError, KeyError):
        return None


def write_result(
    results: Results,
    key: str,
    made: Mapping[str, Any],
    parts: Mapping[str, str],
    listings: Mapping[str, Any] | None = None,
) -> None:
    """Write the basis of a result, and last the result itself.

    key      -- of this basis
    listings -- for reports of what changed behind a digest: name -> path -> description
    """
    more = {"listings": listings} if listings else {}
    put(results.basis, canonical.sealed({**made, **more}))
    value = {
        "record": RECORD,
        "key": key,
        "archive": made["archive"],
        "sealed": made["by"].get("sealed"),
        "parts": dict(parts),
    }
    put(results.result, canonical.sealed(value))


def made_from(results: Results) -> Mapping[str, Any] | None:
    """Return what the last result was made from; None if that is not known."""
    try:
        found = canonical.unsealed(content(f"{results.basis}"))
    except OSError:
        return None
    return found if found and found.get("record") == RECORD else None


class LostResult(QuardError):
    """A part of a package's result is lost; making the package again brings it back.

    A user sees it only if that does not help.

    part, sha256 -- the part and its blob; empty if the result's own files are damaged
    """

    def __init__(
        self, name: str, message: str, *, detail: str, reason: str, part: str = "", sha256: str = ""
    ) -> None:
        hint = "it was rebuilt and lost again: find out what removes files there, or check the disk"
        super().__init__(message, detail=detail, reason=reason, hint=hint)
        self.package = name
        self.part = part
        self.sha256 = sha256


def lost_blob(name: str, part: str, sha256: str) -> LostResult:
    """Return the error for a part of a package that no store has intact."""
    return LostResult(
        name,
        f"a part of {name} is missing from the store",
        detail=f"blob {sha256} ({part}) is missing or damaged",
        reason="blob-missing",
        part=part,
        sha256=sha256,
    )


def recorded(results: Results, part: str, record: Mapping[str, Any] | None = None) -> str:
    """Return the SHA-256 that the record has for a part. Raises LostResult result-damaged.

    record -- the record, if it has been read
    """
    blobs = (read_record(results) if record is None else record).get("blobs")
    found = blobs.get(part) if isinstance(blobs, dict) else None
    if not is_sha256(found):
        raise damaged_record(results, part)
    return found


def damaged_record(results: Results, lacks: str) -> LostResult:
    """Return the error for a record that lacks something."""
    return LostResult(
        results.name,
        f"the result file {results.record.name} is damaged",
        detail=f"no {lacks} in {results.record}",
        reason="result-damaged",
    )


def read_record(results: Results) -> dict[str, Any]:
    """Return a package's record; empty if it is damaged or missing."""
    try:
        found = json.loads(content(f"{results.record}"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def interface_digest(record: Mapping[str, Any]) -> str:
    """Return the digest of the interface in a record; "" for one that is damaged or missing."""
    found = record.get("interface")
    try:
        return canonical.digest(found) if isinstance(found, dict) else ""
    except (TypeError, ValueError, RecursionError):  # values that no build writes
        return ""


def put(path: Path, text: str) -> None:
    """Write a small file atomically."""
    replace(path, text.encode())
