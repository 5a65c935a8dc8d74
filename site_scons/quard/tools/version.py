"""Versions of Debian packages: their order, and relations to them (deb-version(7))."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import cache
from typing import Any

_PIECES = re.compile(r"([^0-9]*)([0-9]*)")
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">>": operator.gt,
}
Key = tuple[int, tuple[Any, ...], tuple[Any, ...]]


@cache
def key(version: str) -> Key:
    """Return a value that orders versions as dpkg does. Raises ValueError for a bad number."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    if not (epoch.isascii() and epoch.isdecimal()):
        raise ValueError(f"not an epoch: {epoch!r}")
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return int(epoch), _order(upstream), _order(revision)


def fits(version: str, relation: str, other: str) -> bool:
    """Return whether a version has a relation, such as >=, to another one."""
    return _RELATIONS[relation](key(version), key(other))


def known(relation: str) -> bool:
    """Return whether there is such a relation."""
    return relation in _RELATIONS


def _order(text: str) -> tuple[Any, ...]:
    """Return the words and numbers of a text, by turns.

    Each word ends with 0, which sorts after ~ and before all else, as the end of a text does.
    """
    found: list[Any] = []
    for word, digits in _PIECES.findall(text or "0"):
        found += ((*map(_rank, word), 0), int(digits or 0))
    return tuple(found)


def _rank(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256
