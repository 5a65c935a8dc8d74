"""quard.image.crc, compared with what zlib computes from the bytes."""

from __future__ import annotations

import random
import zlib

import pytest

from quard.image import crc


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 65_535, 1_000_003])
def test_the_crc_of_two_parts_is_that_of_their_bytes(size: int) -> None:
    draw = random.Random(size)
    second = draw.randbytes(size)
    for first in (b"", b"\0", draw.randbytes(1000)):
        whole = zlib.crc32(first + second)
        found = crc.joined(zlib.crc32(first), zlib.crc32(second), crc.shift(size))
        assert found == whole


def test_parts_of_many_sizes_are_joined_one_after_another() -> None:
    draw = random.Random(7)
    parts = [draw.randbytes(draw.randrange(5000)) for _ in range(200)]
    check = 0
    for part in parts:
        check = crc.joined(check, zlib.crc32(part), crc.shift(len(part)))
    assert check == zlib.crc32(b"".join(parts))


def test_sizes_beyond_32_bits_are_shifted_step_by_step() -> None:
    half = crc.shift(1 << 32)
    assert crc.shift(1 << 33) == crc.joined(half, 0, half)
    assert crc.shift((1 << 32) + 5) == crc.joined(half, 0, crc.shift(5))
