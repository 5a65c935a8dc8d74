from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ext4_parts import check, tool

from quard.base.errors import QuardError
from quard.image.ext4 import empty
from quard.image.ext4_groups import Groups


@contextmanager
def groups(image: Path) -> Iterator[Groups]:
    file = os.open(image, os.O_RDWR)
    try:
        yield Groups(file)
    finally:
        os.close(file)


def free(image: Path) -> list[tuple[int, int]]:
    """Return first block and length of the runs of free blocks, as dumpe2fs lists them."""
    lines = re.findall(r"Free blocks: (\d.*)", tool("dumpe2fs", str(image)))
    runs = [run.split("-") for line in lines for run in line.split(", ")]
    return [(int(run[0]), int(run[-1]) - int(run[0]) + 1) for run in runs]


@pytest.mark.parametrize("size_mib", [8, 300, 1000, 2600])
def test_all_free_blocks_are_given_out_in_order(size_mib: int, tmp_path: Path) -> None:
    empty(tmp_path / "i", size_mib=size_mib, label="x")
    wanted = free(tmp_path / "i")
    with groups(tmp_path / "i") as found:
        total = sum(length for _, length in wanted)
        assert [*found.take(total)] == wanted
        with pytest.raises(QuardError) as caught:
            found.take_one()
        assert caught.value.reason == "image-too-small"


def test_blocks_are_taken_one_behind_the_other(tmp_path: Path) -> None:
    empty(tmp_path / "i", size_mib=8, label="x")
    ((first, total),) = free(tmp_path / "i")
    with groups(tmp_path / "i") as found:
        assert found.take_one() == first
        assert [*found.take(0)] == []
        assert [*found.take(5)] == [(first + 1, 5)]
        assert [*found.take(total - 6)] == [(first + 6, total - 6)]


def test_nothing_taken_leaves_the_bytes_of_the_file_system(tmp_path: Path) -> None:
    empty(tmp_path / "i", size_mib=300, label="x")
    before = (tmp_path / "i").read_bytes()
    with groups(tmp_path / "i") as found:
        found.take_inodes(0, [])
        found.write()
    check(tmp_path / "i")
    assert (tmp_path / "i").read_bytes() == before


def test_places_of_inodes_follow_the_groups(tmp_path: Path) -> None:
    empty(tmp_path / "i", size_mib=300, label="x")
    text = tool("dumpe2fs", str(tmp_path / "i"))
    tables = [int(block) for block in re.findall(r"Inode table at (\d+)-", text)]
    match = re.search(r"Inodes per group: +(\d+)", text)
    assert match
    each = int(match[1])
    with groups(tmp_path / "i") as found:
        assert [*found.inodes(12, 1)] == [(tables[0] * 4096 + 11 * 256, 1)]
        assert [*found.inodes(each, each + 2)] == [
            (tables[0] * 4096 + (each - 1) * 256, 1),
            (tables[1] * 4096, each),
            (tables[2] * 4096, 1),
        ]
        assert found.root == int(tool("debugfs", "-R", "blocks /", str(tmp_path / "i")))
