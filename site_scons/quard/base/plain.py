"""Text of others made fit for a terminal: nothing in it moves the cursor or turns lines around.

Names from archives, words of servers, ends of logs, texts of recipes and boards may hold any
character. What is no plain text is shown by its number, and can be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_CONTROLS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, delete, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing
    "\u2028\u2029"  # line and paragraph ends that some terminals and programs obey
    "\ud800-\udfff"  # bytes of file names that are no text, which no stream takes
)
_TEXT = f"[{_CONTROLS}]"
_LINE = f"[{_CONTROLS}\t\n]"
_CONTROL = "[\x00-\x1f\x7f-\x9f\ud800-\udfff]"
"""Control characters of Unicode (category Cc), and what stands for bytes that are not UTF-8."""
_BYTES = range(0xDC80, 0xDD00)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(text: str) -> str:
    """Return a text of any number of lines with its control characters spelled out."""
    return "\n".join(_sub(_TEXT, _spelled, line) for line in text.split("\n"))


def one_line(text: str) -> str:
    """Return a name or a message likewise, in which a line end is as foreign as any other."""
    return _sub(_LINE, _spelled, text)


def json_text(text: str) -> str:
    """Return JSON that reads the same, with the characters escaped that JSON itself lets pass."""
    return _sub(_TEXT, lambda found: f"\\u{ord(found[0]):04x}", text)


def _sub(pattern: str, spelled: Callable[[re.Match[str]], str], text: str) -> str:
    # Nearly all texts are printable: a null build compiles no pattern.
    return text if text.isprintable() else re.sub(pattern, spelled, text)


def is_printable(text: str) -> bool:
    """Tell whether a text is UTF-8 without control characters.

    Spaces of all kinds and joiners are part of names in many scripts; str.isprintable is stricter.
    """
    return text.isprintable() or not re.search(_CONTROL, text)


def short(text: str, most: int = 120) -> str:
    """Return a name or a link's target for a message: of a long one its beginning and its end."""
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"


def _spelled(found: re.Match[str]) -> str:
    character = found[0]
    number = ord(character)
    if number in _BYTES:  # surrogateescape, PEP 383
        return f"\\x{number - 0xDC00:02x}"
    return _SHORT.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")
