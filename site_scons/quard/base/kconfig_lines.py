"""Lines of Kconfig fragments: those that set something."""

from __future__ import annotations

from collections.abc import Iterator

from quard.base.errors import QuardError

_PREFIX, _UNSET = "CONFIG_", " is not set"
_BYTES = "surrogateescape"
"""How to decode bytes that are not text: they may occur in a symbol's value."""


def lines(text: str, origin: str) -> Iterator[str]:
    """Yield the lines of a fragment that are settings, without the blanks around them.

    origin -- of the text, for messages
    Raises QuardError bad-fragment for a line that is not a setting, not a comment and not empty.
    """
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if _is_setting(line):
            yield line
        elif line and not line.startswith("#"):
            raise QuardError(
                f"{origin} is not a configuration fragment",
                detail=f"line {number}: {line}",
                reason="bad-fragment",
                hint='write CONFIG_X=y, CONFIG_X="text" or "# CONFIG_X is not set"',
            )


def settings(content: bytes, origin: str) -> bytes:
    """Return the content of a fragment without comments and empty lines. Raises as `lines`."""
    found = lines(content.decode(errors=_BYTES), origin)
    return "".join(f"{line}\n" for line in found).encode(errors=_BYTES)


def _is_setting(line: str) -> bool:
    # Each null build reads all fragments: to compile expressions would take longer than this.
    if line.startswith(_PREFIX):
        symbol, given, _ = line.partition("=")
    elif line.startswith(f"# {_PREFIX}") and line.endswith(_UNSET):
        symbol, given = line[2 : -len(_UNSET)], "="
    else:
        return False
    return given == "=" and symbol != _PREFIX and symbol.isascii() and symbol.isidentifier()
