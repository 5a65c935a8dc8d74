"""Extended attributes that permissions give to files: names, values, and what they have in common.

A value is a text, or `0x` and hexadecimal digits, or `0s` and base64, as setfattr(1) takes it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

from quard.base import capabilities
from quard.base.attributes import CAPABILITY

Attributes = tuple[tuple[str, bytes], ...]
"""(name, value) of each attribute of a file, sorted."""

NAMESPACES = ("security", "user")
_INSTEAD = {
    "system": "access lists have another form in each file system; use owner, group and mode",
    "trusted": "only parts of the kernel such as overlayfs read them, and write them themselves",
}
_NAME = re.compile(r"(?:security|user)\.[A-Za-z0-9._:@+-]+")
_LONGEST = 255
"""Bytes of a name: XATTR_NAME_MAX of <linux/limits.h>."""
_ROOM = 4060
"""Bytes that a file's attributes may take in ext4, which has one block of 4 KiB for them: without
its header and the word behind the last entry (Linux: Documentation/filesystems/ext4)."""
_SETUID, _EXECUTE = 0o4000, 0o111


def encode(given: str, xattrs: Iterable[tuple[str, str]]) -> Attributes:
    """Return the attributes of a file.

    given  -- capabilities as quard.base.capabilities takes them; "" for none
    xattrs -- (name, value as text)
    Raises ValueError for a value that cannot be encoded.
    """
    found = {name: value(text) for name, text in xattrs}
    if given:
        found[CAPABILITY] = capabilities.encode(given)
    return tuple(sorted(found.items()))


def value(text: str) -> bytes:
    """Return the bytes of a value. Raises ValueError."""
    form, digits = text[:2].lower(), text[2:]
    try:
        if form == "0x":
            return bytes.fromhex(digits)
        return base64.b64decode(digits, validate=True) if form == "0s" else text.encode()
    except ValueError:
        kind = "hexadecimal digits, two for each byte" if form == "0x" else "base64"
        raise ValueError(f"{text!r} must have {kind} after {text[:2]}") from None


def text(found: bytes) -> str:
    """Return a value as `value` takes it: hexadecimal unless it is printable."""
    try:
        shown = found.decode()
    except UnicodeDecodeError:
        shown = ""
    plain = shown.isprintable() and shown[:2].lower() not in ("0x", "0s")
    return shown if plain and (shown or not found) else f"0x{found.hex()}"


def room(attributes: Attributes) -> int:
    """Return the bytes that attributes take in ext4, without headers.

    Each has an entry of 16 bytes, its name without the namespace, and its value, both padded.
    """
    sizes = ((len(name.partition(".")[2]), len(data)) for name, data in attributes)
    return sum(16 + -(-name // 4) * 4 + -(-data // 4) * 4 for name, data in sizes)


def problems(
    mode: int, given: str, xattrs: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """Yield the key and a text for everything that is wrong in a permission.

    mode -- of the file that gets the attributes
    """
    wrong = [*_capability_problems(mode, given)] if given else []
    wrong += [("xattrs", text) for text in _name_problems([name for name, _ in xattrs])]
    for name, written in xattrs:
        try:
            value(written)
        except ValueError as error:
            wrong.append(("xattrs", f"{name}: {error}"))
    if not wrong and (taken := room(encode(given, xattrs))) > _ROOM:
        what = f"the attributes of a file take {taken} bytes"
        wrong.append(("xattrs", f"{what}; ext4 has room for {_ROOM}"))
    yield from wrong


def _capability_problems(mode: int, given: str) -> Iterator[tuple[str, str]]:
    try:
        capabilities.encode(given)
    except ValueError as error:
        yield "capabilities", str(error)
    if mode & _SETUID:
        yield "capabilities", f"the mode {mode:04o} is setuid: choose either that or capabilities"
    if not mode & _EXECUTE:
        text = f"nobody may execute a file with the mode {mode:04o}"
        yield "capabilities", f"{text}, so its capabilities have no effect"


def _name_problems(names: list[str]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name!r} is given twice"
    for name in dict.fromkeys(names):
        space = name.partition(".")[0]
        if name == CAPABILITY:
            yield f"`capabilities` sets {name}, as in capabilities='cap_net_raw+ep'"
        elif space in _INSTEAD and space != name:
            yield f"{name!r} has no namespace that an image takes: {_INSTEAD[space]}"
        elif not _NAME.fullmatch(name) or len(name) > _LONGEST:
            known = " or ".join(f"{each}.NAME" for each in NAMESPACES)
            yield f"{name!r} must be {known}, at most {_LONGEST} letters, digits and . _ : @ + -"
