"""The CRC-32 of data whose parts have a known one, as crc32_combine of zlib computes it.

A CRC is a remainder of polynomials with coefficients 0 and 1. The highest bit of a number is the
coefficient of x^0 here, as in RFC 1952.
"""

from __future__ import annotations

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_BYTE = _ONE >> 8
"""x^8."""


def shift(size: int) -> int:
    """Return what the CRC of a part is multiplied with if `size` bytes follow."""
    found, power = _ONE, _BYTE
    while size:
        if size & 1:
            found = _product(found, power)
        power = _product(power, power)
        size >>= 1
    return found


def joined(first: int, second: int, shifted: int) -> int:
    """Return the CRC of two parts; `shifted` is the `shift` of the size of the second one."""
    return _product(first, shifted) ^ second


def _product(one: int, other: int) -> int:
    """Return the product of two remainders."""
    found = 0
    while one:
        if one & _ONE:
            found ^= other
        one = one << 1 & 0xFFFFFFFF
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return found
