"""Canonical JSON: one byte sequence per value. Its hash identifies plans and results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_LEAVES = (str, int)
_PLAIN = frozenset((str, int, bool, type(None)))
"""Exactly these types need no look at the value."""
_LISTS = (list, tuple)
_SHORT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_ASCII = json.JSONEncoder(sort_keys=True)
_SEAL = b'\n"seal": "'
"""What precedes the digest in a text that `sealed` writes."""


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


def typed_digest(value: Any) -> str:
    """Return `digest` of a value whose parts have types that are known to be allowed.

    Looking at each part takes longer than writing all of them; null builds do this by the thousand.
    """
    return hashlib.sha256(_SHORT.encode(value).encode()).hexdigest()


def readable(value: Any) -> str:
    """Return `value` as JSON for people: sorted keys, two-space indent, a final newline."""
    _check(value)
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def lines(value: Mapping[str, Any]) -> str:
    """Return a mapping as ASCII JSON with a line for each key, sorted, and a final newline.

    Accepts all that JSON can express, and file names that are not UTF-8 (PEP 383). json.dumps with
    `indent` does the same in Python, many times slower.
    """
    found = ",\n".join(
        f"{_ASCII.encode(key)}: {_ASCII.encode(value[key])}" for key in sorted(value)
    )
    return f"{{{found}}}\n"


def sealed(value: Mapping[str, Any]) -> str:
    """Return `lines` of a mapping, and at the end a digest of all text before it."""
    head = lines(value).removesuffix("}\n") + ("," if value else "")
    return f'{head}{_SEAL.decode()}{hashlib.sha256(head.encode()).hexdigest()}"}}\n'


def unsealed(text: bytes) -> dict[str, Any] | None:
    """Return the mapping in a text written by `sealed`; None if the text has been changed."""
    head, _, seal = text.rpartition(_SEAL)
    if seal != f'{hashlib.sha256(head).hexdigest()}"}}\n'.encode():
        return None
    try:
        found = json.loads(head.removesuffix(b",") + b"}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _check(value: Any) -> None:
    if value is None or isinstance(value, _LEAVES):
        return
    if isinstance(value, _LISTS):
        for item in value:
            if type(item) not in _PLAIN:
                _check(item)
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"key {key!r} is not a string")
            if type(item) not in _PLAIN:
                _check(item)
        return
    raise TypeError(f"{type(value).__name__} has no canonical form: {value!r}")
