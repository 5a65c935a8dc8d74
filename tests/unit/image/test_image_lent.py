"""Compressed segments that checkouts share."""

from __future__ import annotations

import errno
import gzip
import io
import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from quard.image.kept import Kept
from quard.image.lent import UNUSED, Lent, remove_unused
from quard.image.segments import Segment, Segments

PARTS = [random.Random(n).choices((b"abc", b"de", b"\n"), k=20_000) for n in range(6)]


class Checkout:
    """A checkout that writes gzip files, with folders of its own."""

    def __init__(self, top: Path, name: str, shared: Path) -> None:
        self.folder = top / name / "kept"
        self._scratch = top / name / "scratch"
        self._scratch.mkdir(parents=True)
        self._compressed = 0
        self.segments = Segments(
            Kept(self.folder, Lent(shared)), "gzip", self._gzip, Path("source")
        )

    def _gzip(self, files: Sequence[Path], made: Path) -> None:
        self._compressed += len(files)
        with made.open("wb") as out:
            subprocess.run(("gzip", "-n", "-c", "-5", *files), stdout=out, check=True)

    def write(self, parts: Sequence[Sequence[bytes]]) -> tuple[bytes, int]:
        """Return the file, and how many segments were compressed."""
        before, out = self._compressed, io.BytesIO()
        self.segments.write([Segment(partial(iter, part)) for part in parts], out, self._scratch)
        assert gzip.decompress(out.getvalue()) == b"".join(map(b"".join, parts))
        return out.getvalue(), self._compressed - before


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "cache/segments/board/rootfs.cpio.gz"


@pytest.fixture
def first(tmp_path: Path, shared: Path) -> Checkout:
    return Checkout(tmp_path, "first", shared)


@pytest.fixture
def second(tmp_path: Path, shared: Path) -> Checkout:
    return Checkout(tmp_path, "second", shared)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_fresh_checkout_compresses_only_what_differs(first: Checkout, second: Checkout) -> None:
    made, _ = first.write(PARTS)
    assert second.write(PARTS) == (made, 0)
    assert second.write([*PARTS[:3], [b"other"]])[1] == 1


def test_only_the_segments_of_the_last_file_are_shared(
    first: Checkout, second: Checkout, shared: Path
) -> None:
    for edits in range(5):
        first.write([*PARTS, [b"edit %d" % edits]])
        assert names(shared) == names(first.folder)
    second.write(PARTS[:2])
    assert names(shared) == names(second.folder)
    assert first.write([*PARTS, [b"edit 4"]])[1] == 0, "its own ones are still there"
    assert names(shared) == names(first.folder)


@pytest.mark.parametrize("damage", ["truncated", "changed", "emptied"])
def test_a_damaged_segment_is_compressed_and_shared_again(
    first: Checkout, second: Checkout, shared: Path, damage: str
) -> None:
    made, _ = first.write(PARTS)
    path = sorted(shared.iterdir())[0]
    content = path.read_bytes()
    path.unlink()
    bad = {"truncated": content[:-1], "changed": content[:-1] + b"\0\1", "emptied": b""}
    path.write_bytes(bad[damage])
    assert second.write(PARTS) == (made, 1)
    assert path.read_bytes() == content


@pytest.mark.parametrize("place", ["folder", "nowhere"])
def test_a_link_to_elsewhere_in_the_place_of_a_segment_costs_only_the_compression(
    first: Checkout, second: Checkout, shared: Path, tmp_path: Path, place: str
) -> None:
    made, _ = first.write(PARTS)
    path = sorted(shared.iterdir())[0]
    path.unlink()
    (tmp_path / "folder").mkdir()
    path.symlink_to(tmp_path / place)
    assert second.write(PARTS) == (made, 1)
    assert path.is_file() and not path.is_symlink()


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_segments_are_copied_where_they_cannot_be_linked(
    first: Checkout, second: Checkout, shared: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise OSError(number, os.strerror(number), str(path), None, str(target))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    made, _ = first.write(PARTS)
    assert names(shared) == names(first.folder)
    assert second.write(PARTS) == (made, 0)


def test_a_folder_that_is_none_costs_only_the_compression(
    first: Checkout, second: Checkout, shared: Path
) -> None:
    shared.parent.mkdir(parents=True)
    shared.write_bytes(b"in the way")
    made, count = first.write(PARTS)
    assert second.write(PARTS) == (made, count)
    assert shared.read_bytes() == b"in the way"


def test_a_full_disk_under_it_costs_only_the_compression(
    first: Checkout, second: Checkout, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path), None, str(target))

    monkeypatch.setattr(Path, "hardlink_to", fail)
    made, count = first.write(PARTS)
    assert second.write(PARTS) == (made, count)
    assert names(shared) == set()


def test_what_was_not_used_for_a_while_is_removed(
    first: Checkout, second: Checkout, shared: Path
) -> None:
    first.write(PARTS)
    top = shared.parents[1]
    now = shared.stat().st_mtime
    assert remove_unused(top, now + UNUSED) == 0
    assert remove_unused(top, now + UNUSED + 10, dry=True) == 1
    assert names(shared) == names(first.folder)
    os.utime(shared, (1, 1))
    second.write(PARTS)
    assert remove_unused(top, now + UNUSED) == 0, "a use without a change counts"
    assert remove_unused(top, now + 2 * UNUSED) == 1
    assert not shared.exists()
    assert remove_unused(top, now) == 0
    assert not shared.parent.exists()
    assert remove_unused(top, now) == 0, "it is no error that it is gone"


def test_another_process_may_remove_them_at_the_same_time(
    first: Checkout, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed_twice(folder: str) -> None:
        remove(folder)
        remove(folder)

    remove = shutil.rmtree
    first.write(PARTS)
    monkeypatch.setattr(shutil, "rmtree", removed_twice)
    assert remove_unused(shared.parents[1], shared.stat().st_mtime + 2 * UNUSED) == 0
    assert not shared.exists()


def test_a_link_in_the_place_of_their_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "segments").symlink_to("elsewhere")
    assert remove_unused(tmp_path / "segments", 0) == 0
    assert (tmp_path / "segments").is_dir()
