"""SSH public keys as lines of authorized_keys (sshd(8)): options, type, base64, comment."""

from __future__ import annotations

import binascii
from itertools import pairwise

from quard.base.plain import is_printable
from quard.base.table import Table

HINT = "use the single line of a .pub file such as ~/.ssh/id_ed25519.pub"
_SHOWN = 60


def authorized_keys(table: Table, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Take the keys of a table, a list of lines. Raises the table's error for a malformed key."""
    keys = tuple(key.strip() for key in table.texts("authorized_keys", default))
    for number, key in enumerate(keys):
        if problem := bad_key(key):
            raise table.error(f"authorized_keys[{number}]", problem, HINT)
    return keys


def bad_key(line: str) -> str:
    """Return what is wrong with a line that should be a key; "" if nothing is."""
    if line.startswith("-----BEGIN") and "PRIVATE KEY" in line:
        return "is the beginning of a private key"
    words = line.split()
    plain = is_printable(line.replace("\t", " "))  # sshd accepts tabs between the words
    if plain and any(_is_blob(kind, blob) for kind, blob in pairwise(words)):
        return ""
    more = "..." if len(line) > _SHOWN else ""
    return f"is not a public key of SSH: {line[:_SHOWN]!r}{more}"


def _is_blob(kind: str, blob: str) -> bool:
    """Return whether `blob` is a key whose own type field has this kind (RFC 4253, 6.6)."""
    try:
        data = binascii.a2b_base64(blob, strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    name = kind.encode()
    return bool(name) and data.startswith(len(name).to_bytes(4, "big") + name)
