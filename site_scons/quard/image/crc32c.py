"""CRC-32C, the checksum of ext4's metadata, of many messages at once.

Python has no function for it. The checksum is linear: it is the exclusive or of what each byte
contributes, and that depends on the byte's value and on how many bytes follow. So the same byte of
many rows is looked up together, by bytes.translate, and zeros need not be looked at.

As ext4 takes it (Linux: crc32c_le), a checksum begins with the one of what is before, which is
~0 for nothing, and is not inverted at the end.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache

START = 0xFFFFFFFF
"""The checksum of nothing."""
_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, with its bits reversed (RFC 3720, appendix B.4)."""
_PIECE = 256
"""Bytes of a piece, the longest row. A message is divided into pieces."""
_TOGETHER = 2048
"""Rows that are looked up together: half a megabyte, which a processor's cache holds."""
_WORD = 4
_Planes = tuple[bytes, ...]
"""The lowest byte of 256 words, and likewise their other three bytes."""


def of_rows(rows: bytes | bytearray, width: int, seeds: bytes = b"") -> bytes:
    """Return the checksums of rows of one length, as words of 4 bytes, the lowest first.

    rows  -- one behind the other
    width -- bytes of each, from 4 to 256
    seeds -- checksums of what is before each row, as words; b"": all are 0
    """
    count = len(rows) // width
    if count > _TOGETHER:
        return b"".join(
            of_rows(
                rows[start * width : (start + _TOGETHER) * width],
                width,
                seeds[start * _WORD : (start + _TOGETHER) * _WORD],
            )
            for start in range(0, count, _TOGETHER)
        )
    zeros, planes = bytes(count), _contributions()
    sums = [0] * _WORD
    for place in range(width):
        column = rows[place::width]
        if seeds and place < _WORD:
            column = _xor(column, seeds[place::_WORD])
        if column == zeros:
            continue
        for number, plane in enumerate(planes[width - 1 - place]):
            sums[number] ^= int.from_bytes(column.translate(plane), "little")
    return _joined([each.to_bytes(count, "little") for each in sums])


def of(messages: Sequence[bytes], seeds: Sequence[int]) -> list[int]:
    """Return the checksum of each message, which has at least 4 bytes.

    seeds -- checksum of what is before each message
    """
    pieces, counts = [], []
    for message, seed in zip(messages, seeds, strict=True):
        first = int.from_bytes(message[:_WORD], "little") ^ seed
        used = (first.to_bytes(_WORD, "little") + message[_WORD:]).rstrip(b"\0")
        # Zeros at the begin contribute nothing, so the pieces are aligned at the end.
        before = -len(message) % _PIECE
        count = -(-(before + len(used)) // _PIECE)
        pieces.append((bytes(before) + used).ljust(count * _PIECE, b"\0"))
        counts.append((count, (before + len(message)) // _PIECE - count))
    sums = of_rows(b"".join(pieces), _PIECE)
    words = iter(struct.unpack(f"<{len(sums) // _WORD}I", sums))
    lowest, lower, higher, highest = _over_a_piece()
    found = []
    for count, zeros in counts:
        total = 0
        for word in (*(next(words) for _ in range(count)), *(0 for _ in range(zeros))):
            low, high = total & 0xFFFF, total >> 16
            total = word ^ lowest[low & 0xFF] ^ lower[low >> 8]
            total ^= higher[high & 0xFF] ^ highest[high >> 8]
        found.append(total)
    return found


@cache
def _contributions() -> list[_Planes]:
    """Return what each value of a byte contributes; the index is the number of bytes behind it."""
    words = []
    for word in range(256):
        for _ in range(8):
            word = word >> 1 ^ (_POLYNOMIAL if word & 1 else 0)  # noqa: PLW2901 - step by step
        words.append(word)
    table = tuple(bytes(word >> shift & 0xFF for word in words) for shift in (0, 8, 16, 24))
    found: list[_Planes] = [table]
    for _ in range(_PIECE - 1):
        lowest, *others = found[-1]
        shifted = (*others, bytes(256))
        found.append(
            tuple(_xor(lowest.translate(t), o) for t, o in zip(table, shifted, strict=True))
        )
    return found


@cache
def _over_a_piece() -> tuple[tuple[int, ...], ...]:
    """Return what each byte of a checksum, the lowest first, becomes over a piece of zeros."""
    planes = reversed(_contributions()[-_WORD:])
    return tuple(struct.unpack("<256I", _joined(each)) for each in planes)


def _joined(planes: Sequence[bytes]) -> bytes:
    """Return the words whose bytes are in the planes."""
    found = bytearray(_WORD * len(planes[0]))
    for number, plane in enumerate(planes):
        found[number::_WORD] = plane
    return bytes(found)


def _xor(one: bytes | bytearray, other: bytes | bytearray) -> bytes:
    number = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
    return number.to_bytes(len(one), "little")
