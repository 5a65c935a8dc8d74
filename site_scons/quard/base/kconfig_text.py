"""The text of Kconfig fragments: which lines they may have."""

from __future__ import annotations

import re

from quard.base.errors import QuardError

SET = re.compile(r"(CONFIG_[A-Za-z0-9_]+)=(.*)\Z")
UNSET = re.compile(r"# (CONFIG_[A-Za-z0-9_]+) is not set\Z")


def settings(text: str, origin: str) -> list[tuple[str, str | None]]:
    """Return the symbols of a fragment with their values, None for "is not set" and for "n".

    origin -- the fragment's name in messages
    Raises QuardError bad-fragment for a line that is not a setting, not a comment and not empty.
    """
    found: list[tuple[str, str | None]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if match := SET.match(line):
            value = match.group(2)
            found.append((match.group(1), None if value == "n" else value))
        elif match := UNSET.match(line):
            found.append((match.group(1), None))
        elif line and not line.startswith("#"):
            raise QuardError(
                f"{origin} is not a configuration fragment",
                detail=f"line {number}: {line}",
                reason="bad-fragment",
                hint='write CONFIG_X=y, CONFIG_X="text" or "# CONFIG_X is not set"',
            )
    return found
