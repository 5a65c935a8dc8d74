"""One byte sequence per value, and its hash: the identity of plans and results."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """Return `value` as JSON with sorted keys and no optional white space.

    Raises TypeError for anything but None, bool, int, str, list, tuple and str-keyed dicts:
    floats and sets have no single text form.
    """
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical form, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def readable(value: Any) -> str:
    """Return the same value for people: sorted keys, two-space indent, a final line end."""
    _check(value)
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _check(value: Any) -> None:
    if value is None or isinstance(value, bool | int | str):
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check(item)
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"key {key!r} is not a string")
            _check(item)
        return
    raise TypeError(f"{type(value).__name__} has no canonical form: {value!r}")
