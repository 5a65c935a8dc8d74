"""Web pages received instead of a file: a login, an error, a consent."""

from __future__ import annotations

import re

BEGINNING = 64 << 10
"""Number of bytes of a file that are examined."""
_START = 1 << 10
_LONGEST_TITLE = 60
_PAGE = rb"(?i)<(!doctype\s+html|html|head|body|title)\b"
_BEFORE = rb"(?i)\s*(?:\xef\xbb\xbf|<!--|<\?xml|<!doctype|<html|<head|<body|<title)"
_TITLE = rb"(?i)<title[^<>]{0,200}>([^<]*)<"


def described(beginning: bytes) -> str:
    """Return a description of a file with this beginning if it is a web page; else ""."""
    start = beginning[:_START]
    if not (re.match(_BEFORE, start) and re.search(_PAGE, start)):
        return ""
    found = re.search(_TITLE, beginning[:BEGINNING])
    words = found[1].decode("utf-8", "replace").split() if found else []
    title = " ".join(words)
    if len(title) > _LONGEST_TITLE:
        title = title[:_LONGEST_TITLE].rstrip() + "..."
    return f"a web page (HTML), {title!r}" if title else "a web page (HTML)"
