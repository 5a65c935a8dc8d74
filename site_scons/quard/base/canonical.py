"""Canonical JSON: one byte sequence per value. Its hash identifies plans and results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_LEAVES = (str, int)
_LISTS = (list, tuple)
_SHORT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_SEAL = "seal"


def canonical(value: Any) -> str:
    """Return `value` as JSON with sorted keys and no optional white space.

    Raises TypeError for anything but None, bool, int, str, list, tuple and str-keyed dicts:
    floats and sets have no single text form.
    """
    _check(value)
    return _SHORT.encode(value)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical form, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def readable(value: Any) -> str:
    """Return `value` as JSON for people: sorted keys, two-space indent, a final newline."""
    _check(value)
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def sealed(value: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """Return a mapping as ASCII JSON that contains its own digest.

    Accepts all that JSON can express, and file names that are not UTF-8 (PEP 383). Writing is many
    times faster without `indent`.
    """
    return json.dumps({**value, _SEAL: _seal(value)}, sort_keys=True, indent=indent) + "\n"


def unsealed(text: bytes) -> dict[str, Any] | None:
    """Return the mapping in a text written by `sealed`; None if the text has been changed."""
    try:
        found = json.loads(text)
        seal = found.pop(_SEAL)
        return found if seal == _seal(found) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _seal(value: Mapping[str, Any]) -> str:
    compact = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(compact.encode()).hexdigest()


def _check(value: Any) -> None:
    if value is None or isinstance(value, _LEAVES):
        return
    if isinstance(value, _LISTS):
        for item in value:
            if type(item) is not str:
                _check(item)
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"key {key!r} is not a string")
            if type(item) is not str:
                _check(item)
        return
    raise TypeError(f"{type(value).__name__} has no canonical form: {value!r}")
