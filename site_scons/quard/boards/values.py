"""Values of settings that several keys have in common: addresses and sizes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from quard.base.table import Table

_SIZE = re.compile(r"([0-9]{1,6})([MGT])")


def address(table: Table, key: str) -> str:
    """Return the address of an HTTP cache, without a slash at the end; "" if there is none.

    Raises QuardError for another text.
    """
    text = table.text(key, "")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise table.error(
            key, "is not an address of an HTTP cache", 'write it like "https://cache.example/x"'
        )
    return text.rstrip("/")


def size(table: Table, key: str) -> int | None:
    """Return a number of bytes; None without the key.

    Raises QuardError for another text.
    """
    text = table.text(key, "")
    if not text:
        return None
    found = _SIZE.fullmatch(text)
    if found is None or not int(found[1]):
        raise table.error(key, f"is not a size: {text!r}", 'write it like "500M" or "20G"')
    return int(found[1]) << {"M": 20, "G": 30, "T": 40}[found[2]]
