"""Which lines of a console are complaints."""

from __future__ import annotations

import re

COMPLAINT = re.compile(
    r"\b(error|fail(s|ed|ure)?|panic(?!=)|cannot|can't|unable|not found|no such|denied|invalid"
    r"|segfault|oops|call trace|timed out|busy|read-only file system)\b|\bBUG:|\bWARNING:",
    re.IGNORECASE,
)
"""`panic=` is a word of the kernel's command line, which it prints."""


def complaints(text: str) -> list[str]:
    """Return the lines that tell of something that went wrong."""
    return [line for line in text.splitlines() if COMPLAINT.search(line)]
