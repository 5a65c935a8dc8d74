"""Escaping text for a terminal, so that it cannot move the cursor or reverse lines.

Names in archives, server messages, ends of logs, texts of recipes and boards may hold any
character. Those that are not plain text are shown by their number and stay distinguishable.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_CONTROLS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, delete, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing
    "\u2028\u2029"  # line and paragraph separators that some terminals and programs act on
    "\ud800-\udfff"  # undecodable bytes of file names, which no stream accepts
)
_TEXT = f"[{_CONTROLS}]"
_LINE = f"[{_CONTROLS}\t\n]"
_CONTROL = "[\x00-\x1f\x7f-\x9f\ud800-\udfff]"
"""Control characters of Unicode (category Cc), and surrogates for bytes that are not UTF-8."""
_USER = r"(?<=://)[^/?#\s]*@"
"""What an address has of a user and a password."""
_BYTES = range(0xDC80, 0xDD00)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(text: str) -> str:
    """Return a text of any number of lines with its control characters escaped."""
    return _lines(_spelled, text)


def one_line(text: str) -> str:
    """Return a name or a message with its control characters escaped, line ends included."""
    return _sub(_LINE, _spelled, text)


def json_text(text: str) -> str:
    """Return equal JSON in which the control characters that JSON permits are escaped as well."""
    return _lines(lambda found: f"\\u{ord(found[0]):04x}", text)


def _lines(spelled: Callable[[re.Match[str]], str], text: str) -> str:
    return "\n".join(_sub(_TEXT, spelled, line) for line in text.split("\n"))


def _sub(pattern: str, spelled: Callable[[re.Match[str]], str], text: str) -> str:
    # Nearly all texts are printable: a null build compiles no pattern.
    return text if text.isprintable() else re.sub(pattern, spelled, text)


def shown(text: str) -> str:
    """Return a text with the addresses in it without users and passwords."""
    return re.sub(_USER, "", text) if "@" in text else text


def is_printable(text: str) -> bool:
    """Return whether a text is UTF-8 without control characters.

    Unlike str.isprintable this allows all spaces and joiners: names in many scripts have them.
    """
    return text.isprintable() or not re.search(_CONTROL, text)


def short(text: str, most: int = 120) -> str:
    """Return a name or a link's target for a message, shortened in the middle if it is long."""
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"


def _spelled(found: re.Match[str]) -> str:
    character = found[0]
    number = ord(character)
    if number in _BYTES:  # surrogateescape, PEP 383
        return f"\\x{number - 0xDC00:02x}"
    return _SHORT.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")
