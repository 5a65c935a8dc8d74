"""Access to parts of packages: what was lost while it was being used is the error."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from quard.base import canonical
from quard.base.errors import QuardError
from quard.ledger.outputs import Outputs, PartOf, Unverified
from quard.ledger.results import LostResult
from quard.store import blob
from quard.store.local import Store
from quard.store.stores import Stores

INTERFACE = {"files": {"greet.h": "0" * 64}}


class Place:
    """A package with two parts in the store."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "shared")
        self.folder = folder
        self.local = Store(folder / "local")
        self.outputs = Outputs(folder / "units", Stores(self.local, self.store))
        self.digests = {part: self.archive(folder, part) for part in ("dev", "libs")}
        (folder / "units").mkdir()
        self.record = folder / "units/greet.record.json"
        content = {"blobs": self.digests, "interface": INTERFACE}
        self.record.write_text(json.dumps(content))

    @property
    def parts(self) -> dict[PartOf, str]:
        return {("greet", part): sha256 for part, sha256 in self.digests.items()}

    def blob(self, part: str) -> Path:
        return self.store.path(self.digests[part])

    def archive(self, folder: Path, text: str) -> str:
        (folder / "file").write_text(text)
        blob.pack(folder, ["file"], folder / "new")
        return self.store.add(folder / "new")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_blobs_are_verified_before_they_are_used(place: Place) -> None:
    with place.outputs.blobs(place.parts) as paths:
        assert [path.name for path in paths.values()] == [*place.digests.values()]
    path = place.store.path(place.digests["libs"])
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    with pytest.raises(LostResult) as caught, place.outputs.blobs(place.parts):
        pass
    assert (caught.value.part, caught.value.sha256) == ("libs", place.digests["libs"])


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), QuardError("gone", reason="bad-tar")])
def test_a_blob_that_vanishes_during_the_use_is_a_loss(place: Place, error: Exception) -> None:
    with pytest.raises(LostResult) as caught, place.outputs.blobs(place.parts) as paths:
        paths["greet", "dev"].unlink()
        raise error
    assert (caught.value.package, caught.value.part) == ("greet", "dev")


def test_a_blob_that_is_changed_during_the_use_is_a_loss(place: Place) -> None:
    with pytest.raises(LostResult) as caught, place.outputs.blobs(place.parts) as paths:
        path = paths["greet", "libs"]
        path.chmod(0o644)
        path.write_bytes(b"x" + path.read_bytes()[1:])
    assert (caught.value.package, caught.value.part) == ("greet", "libs")


def test_a_blob_that_two_parts_share_is_verified_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = place.digests["dev"]
    place.digests["libs"] = shared
    verified: list[Path] = []
    verify = Store.verify

    def counted(store: Store, sha256: str) -> bool:
        verified.append(store.root)
        return verify(store, sha256)

    monkeypatch.setattr(Store, "verify", counted)
    with pytest.raises(LostResult), place.outputs.blobs(place.parts) as paths:
        assert verified.count(place.store.root) == 1
        assert {path.name for path in paths.values()} == {shared} and [*paths] == [*place.parts]
        paths["greet", "libs"].chmod(0o644)
        paths["greet", "libs"].write_bytes(b"damaged")


def test_a_blob_that_another_build_puts_back_during_the_use_is_no_loss(
    place: Place, tmp_path: Path
) -> None:
    with place.outputs.blobs(place.parts) as paths:
        path = paths["greet", "dev"]
        path.unlink()
        assert place.archive(tmp_path, "dev") == path.name


def test_an_error_of_another_cause_stays(place: Place) -> None:
    with pytest.raises(QuardError) as caught, place.outputs.blobs(place.parts):
        raise QuardError("two files at one path", reason="file-collision")
    assert caught.value.reason == "file-collision"


def damage(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"x" + path.read_bytes()[1:])


def test_blobs_are_verified_while_they_are_used(place: Place) -> None:
    with place.outputs.unverified(place.parts) as paths:
        assert {part: path.name for part, path in paths.items()} == place.parts
        assert all(path.is_file() for path in paths.values())


def test_a_damaged_blob_is_noticed_beside_its_use(place: Place) -> None:
    damage(place.blob("libs"))
    with pytest.raises(Unverified), place.outputs.unverified(place.parts) as paths:
        assert paths["greet", "libs"] == place.blob("libs")
    with pytest.raises(LostResult) as caught, place.outputs.blobs(place.parts):
        pass
    assert (caught.value.part, caught.value.sha256) == ("libs", place.digests["libs"])


@pytest.mark.parametrize("error", [ValueError("not text"), QuardError("x", reason="bad-tar")])
def test_an_error_that_a_damaged_blob_causes_is_not_told(place: Place, error: Exception) -> None:
    damage(place.blob("dev"))
    with pytest.raises(Unverified) as caught, place.outputs.unverified(place.parts):
        raise error
    assert caught.value.__cause__ is error


def test_an_error_of_another_cause_stays_beside_the_verifying(place: Place) -> None:
    error = ValueError("a wrong table")
    with pytest.raises(ValueError) as caught, place.outputs.unverified(place.parts):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("harm", [damage, Path.unlink])
def test_a_blob_that_is_changed_after_it_was_verified_is_noticed(
    place: Place, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None]
) -> None:
    verified = threading.Event()
    are_intact = Outputs._are_intact

    def slow(self: Outputs, paths: Mapping[str, Path]) -> bool:
        found = are_intact(self, paths)
        verified.set()
        return found

    monkeypatch.setattr(Outputs, "_are_intact", slow)
    with pytest.raises(Unverified), place.outputs.unverified(place.parts) as paths:
        assert verified.wait(20)
        harm(paths["greet", "dev"])


def test_a_missing_blob_is_not_used(place: Place) -> None:
    place.blob("dev").unlink()
    with pytest.raises(Unverified), place.outputs.unverified(place.parts):
        pytest.fail("the block is not entered")


def test_a_blob_that_only_another_store_has_intact_is_not_used_from_there(place: Place) -> None:
    """What the block has read is that of the first store."""
    shutil.copy(place.blob("dev"), place.folder / "copy")
    assert place.local.add(place.folder / "copy") == place.digests["dev"]
    damage(place.local.path(place.digests["dev"]))
    with pytest.raises(Unverified), place.outputs.unverified(place.parts):
        pass
    with place.outputs.blobs(place.parts) as paths:
        assert paths["greet", "dev"] == place.blob("dev")


def test_the_dev_part_belongs_to_its_interface(place: Place) -> None:
    digest = canonical.digest(INTERFACE)
    assert place.outputs.dev("greet", digest) == place.digests["dev"]
    with pytest.raises(LostResult) as caught:
        place.outputs.dev("greet", "1" * 64)
    assert caught.value.reason == "result-damaged" and not caught.value.sha256


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"blobs": []}', '{"blobs": {"dev": "x"}}', '{"interface": 1.5}']
)
def test_a_damaged_record_is_a_loss_of_the_result(place: Place, text: str) -> None:
    place.record.write_text(text)
    with pytest.raises(LostResult) as caught:
        place.outputs.dev("greet", canonical.digest(INTERFACE))
    assert caught.value.reason == "result-damaged"
    with pytest.raises(LostResult) as caught:
        place.outputs.digest("greet", "dev")
    assert caught.value.reason == "result-damaged"


def test_a_dropped_result_is_gone_and_so_is_its_record_in_the_store(place: Place) -> None:
    (place.record.parent / "greet.json").write_text("{}")
    place.store.path(place.digests["dev"]).unlink()
    with pytest.raises(LostResult) as caught:
        place.outputs.extract("greet", "dev", place.record.parent / "into")
    line = place.outputs.drop(caught.value)
    assert line.startswith("the store no longer has the dev part of greet")
    assert not (place.record.parent / "greet.json").exists()
