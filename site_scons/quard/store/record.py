"""The record of a package's result, as a store keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quard.base.canonical import canonical, digest
from quard.base.files import is_sha256


def encode_record(key: str, record: Mapping[str, Any]) -> bytes:
    """Return the bytes of an action's record: canonical JSON with its own digest and key."""
    content = dict(record)
    return canonical({"digest": digest([key, content]), "key": key, "record": content}).encode()


def decode_record(key: str, data: bytes) -> dict[str, Any] | None:
    """Return the record in `data`; None if it is damaged, has another key or is not a record.

    A record has at least "plan", a SHA-256; "blobs", names to SHA-256; "interface", a mapping.
    """
    try:
        envelope = json.loads(data)
        record = envelope["record"]
        intact = envelope["key"] == key and envelope["digest"] == digest([key, record])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if intact and _well_formed(record) else None


def _well_formed(record: Any) -> bool:
    if not isinstance(record, dict):
        return False
    plan, blobs = record.get("plan"), record.get("blobs")
    return (
        is_sha256(plan)
        and isinstance(blobs, dict)
        and all(is_sha256(value) for value in blobs.values())
        and isinstance(record.get("interface"), dict)
    )
