"""What is left of fetches that were cut off: only what a later one goes on with."""

from __future__ import annotations

import fcntl
import io
import threading
from pathlib import Path

import pytest

from quard.face.progress import Lines
from quard.sources.attempt import Limits, Stopped
from quard.sources.download import Transfer
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations
from quard.sources.part import Part, PartOrigin
from quard.sources.response import CHUNK
from quard.sources.watch import Handle


def fetcher(cache: Path) -> Fetcher:
    return Fetcher(cache, Locations(), Lines(io.StringIO()))


def left(cache: Path, package: str, *, explained: bool) -> Path:
    """Make what a killed fetch leaves of a file."""
    (cache / package).mkdir(parents=True)
    part = Part(cache / package / "source.tar")
    part.path.write_bytes(b"half")
    if explained:
        part.describe(PartOrigin("http://localhost/source.tar", '"tag"', "", 1000))
    return part.path


def test_a_part_stays_if_it_can_be_gone_on_with(tmp_path: Path) -> None:
    explained = left(tmp_path, "one", explained=True)
    unexplained = left(tmp_path, "two", explained=False)
    fetcher(tmp_path).sweep()
    assert explained.exists() and not unexplained.exists()


def test_a_part_that_somebody_is_writing_stays(tmp_path: Path) -> None:
    unexplained = left(tmp_path, "one", explained=False)
    with (tmp_path / "one/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetcher(tmp_path).sweep()
        assert unexplained.exists()
    fetcher(tmp_path).sweep()
    assert not unexplained.exists()


def test_without_a_cache_there_is_nothing_to_sweep(tmp_path: Path) -> None:
    fetcher(tmp_path / "none").sweep()
    assert not (tmp_path / "none").exists()


def test_a_copy_that_is_cut_off_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x" * 3 * CHUNK)
    stopped, part = threading.Event(), Part(tmp_path / "target")

    class Stopping(Handle):
        def advance(self, amount: int) -> None:
            assert amount and part.path.exists()
            stopped.set()

        def close(self) -> None:
            pass

    transfer = Transfer(Limits(), stopped, lambda *_: Stopping(), lambda _: None)
    with pytest.raises(Stopped):
        transfer.copy(tmp_path / "source", part)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]
