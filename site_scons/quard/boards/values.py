"""Values of settings that several keys have in common: addresses and sizes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from quard.base.table import Table

_SIZE = "([0-9]{1,6})([MGT])"


def address(table: Table, key: str, more: tuple[str, ...] = ()) -> str:
    """Return the address of a cache, without a slash at the end; "" if there is none.

    more -- schemes that it may have besides http and https
    Raises QuardError for another text.
    """
    text = table.text(key, "")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        # grpc:// has no usual port.
        port = parts.port or (parts.port is None and parts.scheme != "grpc")
        named = parts.scheme in ("http", "https", *more) and parts.hostname and port
    except ValueError:
        named = False
    if not named or parts.query or parts.fragment or not text.isprintable() or " " in text:
        other = ' or "grpcs://cache.example:8980/instance"' if more else ""
        raise table.error(
            key, "is not an address of a cache", f'write it like "https://cache.example/x"{other}'
        )
    return text.rstrip("/")


def size(table: Table, key: str) -> int | None:
    """Return a number of bytes; None without the key.

    Raises QuardError for another text.
    """
    text = table.text(key, "")
    if not text:
        return None
    found = re.fullmatch(_SIZE, text)
    if found is None or not int(found[1]):
        raise table.error(key, f"is not a size: {text!r}", 'write it like "500M" or "20G"')
    return int(found[1]) << {"M": 20, "G": 30, "T": 40}[found[2]]
