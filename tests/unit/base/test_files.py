"""Listing the names of a folder, which every null build does, and replacing a file."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quard.base.files import (
    FileRef,
    file_ref,
    file_sha256,
    listed,
    observe,
    replace,
    replacing,
    sha256_of,
)


def test_names_with_the_ending_are_listed_sorted(tmp_path: Path) -> None:
    for name in ("b.toml", "a-b.toml", "a.toml", ".c.toml", "d.toml~", "toml"):
        (tmp_path / name).touch()
    assert listed(tmp_path, ".toml") == [".c.toml", "a-b.toml", "a.toml", "b.toml"]


def test_a_folder_that_does_not_exist_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert listed(tmp_path / "none", "") == []
    assert listed(tmp_path / "file", "") == []


def test_several_threads_replace_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def write(number: int) -> None:
        with replacing(path) as part:
            part.write_text(f"{number}\n" * 1000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(200)))
    (line,) = set(path.read_text().splitlines())
    assert path.read_text() == f"{line}\n" * 1000
    assert list(tmp_path.iterdir()) == [path]


def test_two_replace_a_file_in_turn_although_one_began_earlier(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as early:
        early.write_text("early")
        with replacing(path) as late:
            late.write_text("late")
        assert path.read_text() == "late"
    assert path.read_text() == "early"


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 20])
def test_a_digest_is_that_of_the_whole_content(tmp_path: Path, size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    (tmp_path / "file").write_bytes(data)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_a_digest_has_all_pieces_that_a_pipe_gives_one_by_one() -> None:
    reading, writing = os.pipe()

    def write() -> None:
        for piece in (b"a" * 10, b"b" * 70_000, b"c"):
            os.write(writing, piece)
            time.sleep(0.01)
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    found = sha256_of(reading)
    writer.join()
    os.close(reading)
    assert found == hashlib.sha256(b"a" * 10 + b"b" * 70_000 + b"c").hexdigest()


def test_a_small_file_is_replaced_whole_and_its_folders_are_made(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b" / "file"
    replace(place, b"one")
    replace(place, b"two")
    assert place.read_bytes() == b"two"
    assert os.listdir(place.parent) == ["file"]


def test_a_file_that_cannot_be_replaced_keeps_its_content(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.mkdir()
    (place / "inside").write_text("kept")
    with pytest.raises(IsADirectoryError):
        replace(place, b"data")
    assert (place / "inside").read_text() == "kept"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            replace(place, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert place.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("executable", [False, True])
def test_a_mode_counts_only_of_what_a_build_may_run(tmp_path: Path, executable: bool) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"text")
    path.chmod(0o755 if executable else 0o644)
    sha256 = hashlib.sha256(b"text").hexdigest()
    assert observe(path, "y") == FileRef("y", sha256)
    assert observe(path, "y", runs=True) == FileRef("y", sha256, executable)


def test_of_a_fragment_its_settings_count(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"# Remark.\nCONFIG_A=y\n")
    path.chmod(0o755)
    sha256 = hashlib.sha256(b"CONFIG_A=y\n").hexdigest()
    found = observe(path, "x", runs=True, origin="x.fragment")
    assert found == FileRef("x", sha256, settings=True)


@pytest.mark.parametrize(
    "file",
    [FileRef("a", "0" * 64), FileRef("a", "0" * 64, True), FileRef("a", "0" * 64, settings=True)],
)
def test_a_file_is_read_from_its_entry(file: FileRef) -> None:
    name, observed = file.entry
    assert file_ref(name, observed) == file
