"""A store that is made smaller: what goes, what stays, and what others may do meanwhile."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from quard.store import taken
from quard.store.local import IN_USE, Store
from quard.store.shrink import UNFINISHED, Shrunk, shrink

NOW = 2_000_000_000.0
DAY = 24 * 3600


class Place:
    """A store with results of 1,000 bytes, each used at a time of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "store")

    def blob(self, text: str, size: int = 1000, used: float = NOW - 9 * DAY) -> str:
        path = self.folder / f"new-{threading.get_ident()}"
        path.write_bytes(text.encode().ljust(size, b"."))
        sha256 = self.store.add(path)
        os.utime(self.store.path(sha256), (used, used))
        return sha256

    def result(self, name: str, used: float, *blobs: str) -> str:
        """Keep a result and return its key."""
        key = name.encode().hex().ljust(64, "0")
        named = {f"part{number}": sha256 for number, sha256 in enumerate(blobs)}
        record = {"name": name, "plan": "cd" * 32, "blobs": named, "interface": {}}
        self.store.put_record(key, record)
        path = self.store.root / "ac" / key[:2] / f"{key}.json"
        os.utime(path, (used, used))
        return key

    def taken(self, name: str, used: float, *blobs: str) -> Path:
        """Note a result from a remote cache with these blobs; return the note's path."""
        key = name.encode().hex().ljust(64, "0")
        taken.note(self.store.root, key, blobs)
        path = self.store.root / taken.FOLDER / key[:2] / key
        os.utime(path, (used, used))
        return path

    def own(self, name: str, used: float) -> str:
        """Keep a result with a blob of its own."""
        return self.result(name, used, self.blob(name, used=used))

    def shrink(self, limit: int | None, *, dry: bool = False) -> Shrunk:
        return shrink(self.store, limit, NOW, dry=dry)

    def left(self, *keys: str) -> list[bool]:
        """Tell of each result whether it is still there."""
        return [self.store.record(key) is not None for key in keys]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_was_used_least_recently_goes_first(place: Place) -> None:
    keys = [place.own(f"r{age}", NOW - age * DAY) for age in (1, 4, 2, 3)]
    found = place.shrink(3000)
    assert place.left(*keys) == [True, False, True, False]
    assert found.results == 2 and found.left <= 3000 < found.left + found.freed


def test_the_store_is_as_large_as_it_says(place: Place) -> None:
    for age in range(1, 9):
        place.own(f"r{age}", NOW - age * DAY)
    found = place.shrink(4000)
    files = (p for k in ("ac", "cas") for p in (place.store.root / k).rglob("*") if p.is_file())
    assert sum(path.stat().st_size for path in files) == found.left


def test_a_result_is_as_young_as_the_blob_that_was_used_last(place: Place) -> None:
    old, young = place.own("old", NOW - 3 * DAY), place.own("young", NOW - 2 * DAY)
    record = place.store.record(old)
    assert record is not None
    os.utime(place.store.path(record["blobs"]["part0"]), (NOW - DAY, NOW - DAY))
    place.shrink(1500)
    assert place.left(old, young) == [True, False]


def test_a_blob_of_two_results_goes_with_the_second(place: Place) -> None:
    shared = place.blob("shared", used=NOW - 5 * DAY)
    first = place.result("first", NOW - 4 * DAY, shared)
    second = place.result("second", NOW - 3 * DAY, shared, place.blob("own", used=NOW - 3 * DAY))
    place.shrink(2500)
    assert place.left(first, second) == [False, True]
    place.shrink(0)
    assert not place.store.has(shared)


def test_what_was_just_used_stays_whatever_the_limit(place: Place) -> None:
    keys = [place.own("now", NOW - IN_USE + 60), place.own("before", NOW - IN_USE - 60)]
    found = place.shrink(0)
    assert place.left(*keys) == [True, False]
    assert found.left > 0


def test_without_a_limit_every_result_stays(place: Place) -> None:
    keys = [place.own(f"r{age}", NOW - age * 100 * DAY) for age in (1, 2, 3)]
    assert place.shrink(None).results == 0
    assert place.left(*keys) == [True, True, True]


def test_blobs_of_builds_that_never_ended_go_and_those_of_running_ones_stay(place: Place) -> None:
    old = place.blob("old", used=NOW - UNFINISHED - 60)
    new = place.blob("new", used=NOW - UNFINISHED + 60)
    found = place.shrink(None)
    assert [place.store.has(old), place.store.has(new)] == [False, True]
    assert found.freed == 1000


def test_a_damaged_record_always_goes(place: Place) -> None:
    good, bad = place.own("good", NOW - 9 * DAY), place.own("bad", NOW - 2 * DAY)
    path = place.store.root / "ac" / bad[:2] / f"{bad}.json"
    path.write_text("{")
    os.utime(path, (NOW - DAY, NOW - DAY))
    assert place.shrink(None).results == 0
    assert not path.exists()
    assert place.left(good) == [True]


def test_a_dry_run_says_the_same_and_removes_nothing(place: Place) -> None:
    keys = [place.own(f"r{age}", NOW - age * DAY) for age in (1, 2, 3)]
    said = place.shrink(1500, dry=True)
    assert place.left(*keys) == [True, True, True]
    assert place.shrink(1500) == said


def test_a_blob_that_was_put_anew_meanwhile_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = place.own("r", NOW - 2 * DAY)
    plain = place.store.discard

    def another_build_first(path: Path, seen: os.stat_result) -> None:
        place.blob("r", used=NOW)
        plain(path, seen)

    monkeypatch.setattr(place.store, "discard", another_build_first)
    place.shrink(0)
    (left,) = (path for path in (place.store.root / "cas").rglob("*") if path.is_file())
    assert place.left(key) == [False]
    assert place.store.has(left.name)


def test_an_empty_store_has_nothing_to_forget(place: Place) -> None:
    assert place.shrink(0) == Shrunk(0, 0, 0)


def test_what_is_looked_for_and_found_counts_as_used(place: Place) -> None:
    before = time.time() - 3 * DAY
    sha256 = place.blob("one", used=before)
    key = place.result("one", before, sha256)
    assert place.store.has(sha256)
    assert place.store.path(sha256).stat().st_mtime > before + DAY
    record = place.store.root / "ac" / key[:2] / f"{key}.json"
    assert record.stat().st_mtime == before
    assert place.store.record(key)
    assert record.stat().st_mtime > before + DAY


def test_a_use_is_noted_often_enough_to_count_and_not_each_time(place: Place) -> None:
    used = time.time() - IN_USE / 4
    sha256 = place.blob("one", used=used)
    assert place.store.has(sha256)
    assert place.store.path(sha256).stat().st_mtime == used
    key = place.own("two", time.time() - 2 * IN_USE)
    assert place.store.record(key)
    shrink(place.store, 1, time.time())
    assert place.left(key) == [True]


AWAY = "ab" * 32
"""A blob that was not fetched."""


def test_blobs_that_were_fetched_are_no_leftovers(place: Place) -> None:
    """They would be fetched again each day."""
    blob = place.blob("libs", used=NOW - 2 * DAY)
    place.taken("there", NOW - 3 * DAY, blob, AWAY)
    assert place.shrink(None).freed == 0
    assert place.store.has(blob)


def test_what_was_fetched_is_bounded_like_what_was_built(place: Place) -> None:
    """The store of a machine that only takes results would grow without end."""
    old, young = (place.blob(name, used=NOW - 5 * DAY) for name in ("old", "young"))
    used = place.blob("used", used=NOW - DAY)
    notes = [
        place.taken("old", NOW - 5 * DAY, old, AWAY),
        place.taken("young", NOW - 3 * DAY, young),
        place.taken("used", NOW - 9 * DAY, used),
    ]
    built = place.own("built", NOW - 2 * DAY)
    found = place.shrink(3500)
    assert (found.results, [path.exists() for path in notes]) == (1, [False, True, True])
    assert [place.store.has(sha256) for sha256 in (old, young, used)] == [False, True, True]
    assert place.left(built) == [True]
    place.shrink(1500)
    assert [place.store.has(sha256) for sha256 in (young, used)] == [False, True]


def test_a_blob_stays_as_long_as_one_of_its_results_is_used(place: Place) -> None:
    blob = place.blob("common", used=NOW - DAY)
    place.taken("one", NOW - 5 * DAY, blob)
    kept = place.result("two", NOW - DAY, blob)
    assert place.shrink(place.shrink(None).left - 1).results == 1
    assert place.store.has(blob) and place.left(kept) == [True]


def test_notes_without_a_blob_stay_for_a_while(place: Place) -> None:
    """A later run may fetch the blobs without asking for the result again."""
    young = place.taken("young", NOW - 30 * DAY, AWAY)
    old = place.taken("old", NOW - 100 * DAY, AWAY)
    broken = place.taken("broken", NOW)
    assert place.shrink(1).results == 0
    assert [path.exists() for path in (young, old, broken)] == [True, False, False]


def test_a_note_is_written_again_when_it_is_old(place: Place) -> None:
    path = place.taken("it", NOW - 5 * DAY, AWAY)
    key = path.name
    os.utime(path, (1000, 1000))
    taken.note(place.store.root, key, (AWAY,))
    used = path.stat().st_mtime
    assert used > time.time() - DAY
    taken.note(place.store.root, key, (AWAY,))
    assert path.stat().st_mtime == used
    path.write_text("damaged")
    taken.note(place.store.root, key, (AWAY,))
    assert path.read_text() == f"{AWAY}\n"
