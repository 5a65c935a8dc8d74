"""Placeholders in files beside a recipe, which are replaced when the file is installed.

`{version}` is a placeholder. `{{version}}` stands for the text `{version}`. What follows a dollar
sign, as in the `${version}` of shells, make and pkg-config, is left as it is, and so are braces
around anything but one name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = rb"([A-Za-z_]+|[a-z0-9][a-z0-9+-]*\.[a-z_]+)"
_BRACES = re.compile(rb"\{\{" + _NAME + rb"\}\}|(?<!\$)\{" + _NAME + rb"\}")


def names(content: bytes) -> tuple[tuple[int, str], ...]:
    """Return the placeholders in a file, each with the number of its line."""
    return tuple(
        (content.count(b"\n", 0, match.start()) + 1, match[2].decode("ascii"))
        for match in _BRACES.finditer(content)
        if match[2]
    )


def filled(content: bytes, values: Mapping[str, str]) -> bytes:
    """Return a file's content with its placeholders replaced. Raises KeyError for another one."""

    def replace(match: re.Match[bytes]) -> bytes:
        if match[2]:
            return values[match[2].decode("ascii")].encode()
        return b"{" + match[1] + b"}"

    return _BRACES.sub(replace, content)
