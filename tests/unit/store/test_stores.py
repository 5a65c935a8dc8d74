"""The one access to all stores: what a lookup reads, and what is lost between it and the use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quard.base.errors import QuardError
from quard.store import blob
from quard.store.local import Store
from quard.store.merge import Collision
from quard.store.stores import EMPTY, Stores

KEY = "ab" * 32


class Place:
    """Two empty stores, and the lines that they report."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.local = Store(folder / "local", self.told.append)
        self.shared = Store(folder / "shared", self.told.append)
        self.stores = Stores(self.local, self.shared)

    def archive(self, store: Store, text: str) -> str:
        """Add the archive of a folder with one file."""
        tree = self.folder / "tree"
        tree.mkdir(exist_ok=True)
        (tree / "file").write_text(text)
        blob.pack(tree, ["file"], self.folder / "new")
        return store.add(self.folder / "new")

    def record(self, blobs: dict[str, str], *, local: bool = False) -> dict[str, Any]:
        found = {"name": "greet", "plan": KEY, "local": local, "blobs": blobs, "interface": {}}
        self.stores.keep(KEY, found)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def damage(store: Store, sha256: str) -> None:
    path = store.path(sha256)
    content = bytearray(path.read_bytes())
    content[600] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


def bytes_read(work: Callable[[], object]) -> int:
    """Return how many bytes this process reads while it does some work."""

    def read() -> int:
        return int(Path("/proc/self/io").read_text().split("\n")[0].removeprefix("rchar: "))

    before = read()
    work()
    return read() - before


def test_a_hit_reads_the_record_and_no_blob(place: Place) -> None:
    size = 10 << 20
    (place.folder / "big").write_bytes(bytes(size))
    place.record({"runtime": place.shared.add(place.folder / "big")})
    assert bytes_read(lambda: place.stores.record(KEY)) < size // 100
    assert place.stores.record(KEY) is not None


def test_a_hit_asks_each_store_once_for_all_blobs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = {part: place.archive(place.shared, part) for part in ("dev", "log", "runtime")}
    place.record(digests)
    asked: list[tuple[Path, int]] = []
    plain = Store.missing

    def missing(store: Store, wanted: Any) -> frozenset[str]:
        wanted = list(wanted)
        asked.append((store.root, len(wanted)))
        return plain(store, wanted)

    monkeypatch.setattr(Store, "missing", missing)
    assert place.stores.record(KEY) is not None
    assert asked == [(place.local.root, 3), (place.shared.root, 3)]


def test_a_blob_may_be_in_another_store_than_the_record(place: Place) -> None:
    sha256 = place.archive(place.local, "a")
    place.record({"dev": sha256}, local=True)
    place.archive(place.shared, "a")
    place.local.path(sha256).unlink()
    assert place.stores.record(KEY) is not None
    assert place.stores.missing([sha256, KEY]) == {KEY}
    assert place.stores.extract(sha256, place.folder / "into")


def test_a_record_with_a_missing_blob_is_no_hit_and_is_reported(place: Place) -> None:
    dev, log = place.archive(place.shared, "a"), place.archive(place.shared, "b")
    place.record({"dev": dev, "log": log})
    place.shared.path(dev).unlink()
    assert place.stores.record(KEY) is None
    assert place.told == [
        f"the store in {place.shared.root} is damaged: the dev part of greet (blob {dev})"
        " is missing; greet is rebuilt"
    ]


def test_a_damaged_result_is_not_reported_if_another_store_has_it_whole(place: Place) -> None:
    gone, there = place.archive(place.local, "a"), place.archive(place.shared, "b")
    place.record({"dev": gone}, local=True)
    whole = place.record({"dev": there})
    place.local.path(gone).unlink()
    assert place.stores.record(KEY) == whole
    assert place.told == []


def test_the_empty_blob_is_never_lost(place: Place) -> None:
    """Most packages have it as a part: losing this one file would rebuild nearly everything."""
    (place.folder / "nothing").mkdir()
    assert blob.pack(place.folder / "nothing", (), place.folder / "new") == EMPTY
    place.shared.add(place.folder / "new")
    record = place.record({"libs": EMPTY})
    path = place.shared.path(EMPTY)
    path.unlink()
    assert place.stores.record(KEY) == record and not path.exists()
    assert place.stores.extract(EMPTY, place.folder / "into")
    assert place.stores.blob(EMPTY) == path and place.shared.verify(EMPTY)
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    assert place.stores.blob(EMPTY) == path and place.shared.verify(EMPTY)
    assert place.told == []


def test_what_is_unpacked_is_verified(place: Place) -> None:
    sha256 = place.archive(place.shared, "a")
    assert place.stores.extract(sha256, place.folder / "one")
    assert (place.folder / "one/file").read_text() == "a"
    damage(place.shared, sha256)
    assert not place.stores.extract(sha256, place.folder / "two")
    assert not place.shared.has(sha256)
    assert not place.stores.extract(sha256, place.folder / "three")


def test_files_that_meet_are_no_loss(place: Place) -> None:
    sha256 = place.archive(place.shared, "a")
    (place.folder / "into").mkdir()
    (place.folder / "into/file").write_text("other")
    with pytest.raises(Collision):
        place.stores.extract(sha256, place.folder / "into")
    assert place.shared.verify(sha256)


def test_what_is_copied_is_verified_and_leaves_nothing_if_it_is_wrong(place: Place) -> None:
    (place.folder / "log").write_bytes(b"x" * 1000)
    sha256 = place.shared.add(place.folder / "log")
    assert place.stores.copy(sha256, place.folder / "logs/one")
    assert (place.folder / "logs/one").read_bytes() == b"x" * 1000
    damage(place.shared, sha256)
    assert not place.stores.copy(sha256, place.folder / "logs/two")
    assert not place.stores.copy(sha256, place.folder / "logs/two")
    assert [path.name for path in (place.folder / "logs").iterdir()] == ["one"]


def lost_by(place: Place, dev: str) -> str:
    return place.stores.lost(KEY, "greet", "dev", dev)


def test_a_loss_is_reported_with_its_cause_and_the_record_is_dropped(place: Place) -> None:
    dev = place.archive(place.shared, "a")
    head = f"the store in {place.shared.root} is damaged: the dev part of greet (blob {dev}) "
    place.record({"dev": dev})
    damage(place.shared, dev)
    assert place.stores.blob(dev) is None
    assert lost_by(place, dev) == head + "did not have its hash and was removed; greet is rebuilt"
    assert place.stores.record(KEY) is None and place.told == []

    place.archive(place.shared, "a")
    place.record({"dev": dev})
    place.shared.path(dev).unlink()
    assert lost_by(place, dev) == head + "is missing; greet is rebuilt"
    assert place.stores.record(KEY) is None


def test_a_blob_that_is_no_archive_is_lost_although_it_has_its_hash(place: Place) -> None:
    (place.folder / "log").write_bytes(b"x" * 2000)
    sha256 = place.shared.add(place.folder / "log")
    place.record({"dev": sha256})
    assert not place.stores.extract(sha256, place.folder / "into")
    assert "is not an archive" in lost_by(place, sha256)
    assert place.stores.record(KEY) is None


def test_a_newer_result_under_the_same_key_stays(place: Place) -> None:
    """Another checkout has built the package again, and `gc` has removed the earlier blobs."""
    dev = place.archive(place.shared, "a")
    newer = place.record({"dev": place.archive(place.shared, "b")})
    place.shared.path(dev).unlink()
    expected = f"the store no longer has the dev part of greet (blob {dev}); greet is rebuilt"
    assert lost_by(place, dev) == expected
    assert place.stores.record(KEY) == newer


def test_a_loss_without_a_key_or_a_store_is_reported(place: Place) -> None:
    shutil.rmtree(place.folder / "shared", ignore_errors=True)
    assert "no longer has" in place.stores.lost("", "greet", "dev", KEY)
    assert "no longer has" in lost_by(place, KEY)


def test_other_errors_are_no_loss(place: Place) -> None:
    sha256 = place.archive(place.shared, "a")
    (place.folder / "into").write_text("a file where the folder belongs")
    with pytest.raises((OSError, QuardError)):
        place.stores.extract(sha256, place.folder / "into")
    assert place.shared.verify(sha256)


@pytest.mark.parametrize("damaged", ["local", "shared"])
def test_a_blob_that_one_store_has_damaged_comes_from_the_other(place: Place, damaged: str) -> None:
    sha256 = place.archive(place.local, "one")
    assert place.archive(place.shared, "one") == sha256
    place.record({"dev": sha256})
    damage(place.local if damaged == "local" else place.shared, sha256)
    assert place.stores.extract(sha256, place.folder / "into")
    assert (place.folder / "into/file").read_text() == "one"
    assert place.stores.record(KEY) is not None
