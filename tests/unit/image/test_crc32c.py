from __future__ import annotations

import random

import pytest

from quard.image import crc32c

RANDOM = random.Random(20)


def plain(message: bytes, seed: int = crc32c.START) -> int:
    """Return the checksum bit by bit, from its definition."""
    for byte in message:
        seed ^= byte
        for _ in range(8):
            seed = seed >> 1 ^ (0x82F63B78 if seed & 1 else 0)
    return seed


def words(numbers: list[int]) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


@pytest.mark.parametrize(
    ("message", "inverted"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"123456789", 0xE3069283),
    ],
)
def test_values_of_rfc_3720(message: bytes, inverted: int) -> None:
    assert crc32c.of([message], [crc32c.START]) == [inverted ^ 0xFFFFFFFF]


@pytest.mark.parametrize("size", [4, 5, 255, 256, 257, 511, 512, 1020, 4084, 4096, 5000])
def test_messages_of_any_length_with_any_seed(size: int) -> None:
    full = RANDOM.randbytes(size)
    messages = [
        full,
        bytes(size),
        full[: size // 3] + bytes(size - size // 3),
        bytes(size - 1) + b"x",
        bytes(size // 2) + full[size // 2 :],
    ]
    seeds = [RANDOM.getrandbits(32) for _ in messages]
    wanted = [plain(message, seed) for message, seed in zip(messages, seeds, strict=True)]
    assert crc32c.of(messages, seeds) == wanted


def test_message_that_its_seed_cancels_is_not_shorter() -> None:
    seed = 0x04030201
    assert crc32c.of([seed.to_bytes(4, "little") + bytes(600)], [seed]) == [0]


def test_no_messages_have_no_checksums() -> None:
    assert crc32c.of([], []) == []
    assert crc32c.of_rows(b"", 256) == b""


@pytest.mark.parametrize("width", [4, 8, 64, 256])
@pytest.mark.parametrize("count", [1, 3, 2047, 2048, 2049, 5000])
def test_rows_are_messages_of_one_length(width: int, count: int) -> None:
    rows = [RANDOM.randbytes(width - 2) + bytes(2) for _ in range(count)]
    seeds = [RANDOM.getrandbits(32) for _ in rows]
    found = crc32c.of_rows(b"".join(rows), width, words(seeds))
    for number in RANDOM.sample(range(count), min(count, 20)):
        wanted = plain(rows[number], seeds[number]).to_bytes(4, "little")
        assert found[4 * number : 4 * number + 4] == wanted
    assert len(found) == 4 * count


def test_rows_without_seeds_begin_with_zero() -> None:
    rows = RANDOM.randbytes(64 * 3)
    wanted = [plain(rows[start : start + 64], 0) for start in (0, 64, 128)]
    assert crc32c.of_rows(bytearray(rows), 64) == words(wanted)
