from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.image.content import PIECE, Content
from quard.image.ext4 import empty
from quard.image.ext4_data import Data
from quard.image.ext4_extents import Extent
from quard.image.ext4_groups import BLOCK, Groups
from quard.process.stop import Stop


@contextmanager
def data(folder: Path, content: bytes) -> Iterator[Data]:
    """Provide what copies from a file with this content to a new file system."""
    (folder / "tar").write_bytes(content)
    empty(folder / "i", size_mib=16, label="x")
    tar, file = os.open(folder / "tar", os.O_RDONLY), os.open(folder / "i", os.O_RDWR)
    try:
        yield Data(tar, folder / "tar", file, Groups(file), Stop())
    finally:
        os.close(tar)
        os.close(file)


def back(image: Path, extents: list[Extent], size: int) -> bytes:
    found = bytearray(size + BLOCK)
    with image.open("rb") as opened:
        for first, place, count in extents:
            opened.seek(place * BLOCK)
            found[first * BLOCK : (first + count) * BLOCK] = opened.read(count * BLOCK)
    assert not any(found[size : size + -size % BLOCK]), "what is behind the end is not zero"
    return bytes(found[:size])


@pytest.mark.parametrize("offset", [0, 512, 5000])
@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_contents_of_any_size_and_place(offset: int, size: int, tmp_path: Path) -> None:
    content = os.urandom(offset + size)
    with data(tmp_path, content + b"behind") as found:
        extents = found.copy(Content(size, path=tmp_path / "tar", offset=offset, runs=((0, size),)))
        found.flush()
    assert back(tmp_path / "i", extents, size) == content[offset:]
    assert sum(count for *_, count in extents) == -(-size // BLOCK)


def test_small_contents_share_what_is_read_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    for name in ("preadv", "pwritev"):
        real = getattr(os, name)

        def noted(*args: object, real: object = real, name: str = name) -> object:
            calls.append(name)
            assert callable(real)
            return real(*args)

        monkeypatch.setattr(os, name, noted)
    content = os.urandom(100 * 1024)
    with data(tmp_path, content) as found:
        calls.clear()
        places = [
            found.copy(Content(1000, path=tmp_path / "tar", offset=n * 1024, runs=((0, 1000),)))
            for n in range(100)
        ]
        found.flush()
    assert calls == ["preadv", "pwritev"]
    for number, extents in enumerate(places):
        wanted = content[number * 1024 : number * 1024 + 1000]
        assert back(tmp_path / "i", extents, 1000) == wanted


def test_blocks_of_zeros_are_holes(tmp_path: Path) -> None:
    full = b"x" * BLOCK
    content = bytes(BLOCK) + full + full + bytes(2 * BLOCK) + b"y" + bytes(BLOCK - 1) + bytes(77)
    with data(tmp_path, content) as found:
        extents = found.copy(Content(len(content), path=tmp_path / "tar", runs=None))
        found.flush()
    assert [(first, count) for first, _, count in extents] == [(1, 2), (5, 1)]
    assert back(tmp_path / "i", extents, len(content)) == content


def test_runs_are_back_to_back_in_the_tar_and_apart_in_the_file(tmp_path: Path) -> None:
    runs = ((65536, 2 * BLOCK), (10 * 65536, 3))
    with data(tmp_path, b"a" * 2 * BLOCK + b"end") as found:
        extents = found.copy(Content(11 * 65536, path=tmp_path / "tar", runs=runs))
        found.flush()
    assert [(first, count) for first, _, count in extents] == [(16, 2), (160, 1)]
    whole = back(tmp_path / "i", extents, 11 * 65536)
    assert whole.strip(b"\0") == b"a" * 2 * BLOCK + bytes(9 * 65536 - 2 * BLOCK) + b"end"


def test_run_that_begins_within_a_block_is_refused(tmp_path: Path) -> None:
    with data(tmp_path, b"a" * 100) as found, pytest.raises(QuardError) as caught:
        found.copy(Content(2000, path=tmp_path / "tar", runs=((512, 100),)))
    assert caught.value.reason == "bad-tar"


def test_put_blocks_are_written_where_it_says(tmp_path: Path) -> None:
    blocks = [bytes([65 + number]) * BLOCK for number in range(3)]
    with data(tmp_path, b"") as found:
        extents = found.put(blocks)
        assert found.put([]) == []
        found.flush()
    assert back(tmp_path / "i", extents, 3 * BLOCK) == b"".join(blocks)
