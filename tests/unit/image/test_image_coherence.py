"""The mark that an images folder has while its files are not of one build."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from quard.image.coherence import MARK, Coherence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "images"


def test_a_folder_that_nobody_touched_has_no_mark(folder: Path) -> None:
    coherence = Coherence(folder)
    assert coherence.begun() == ()
    assert coherence.end(whole=True) == coherence.end(whole=False) == ""
    assert not folder.exists()


def test_the_mark_stays_until_a_run_ends_well(folder: Path) -> None:
    first = Coherence(folder)
    first.begin("b")
    first.begin("a")
    assert first.end(whole=False) == "the images are from different builds; unfinished: a, b"
    second = Coherence(folder)
    assert second.begun() == ("a", "b")
    second.begin("a")
    assert second.end(whole=True) == ""
    assert not (folder / MARK).exists()


def test_threads_note_what_they_begin_together(folder: Path) -> None:
    coherence = Coherence(folder)
    threads = [threading.Thread(target=coherence.begin, args=(f"{n:02}",)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert coherence.begun() == tuple(f"{number:02}" for number in range(20))


def test_a_mark_that_cannot_be_read_is_a_mark(folder: Path) -> None:
    folder.mkdir()
    (folder / MARK).write_bytes(b"\xff")
    assert Coherence(folder).begun() == (MARK,)


def test_a_mark_that_cannot_be_removed_is_told(folder: Path) -> None:
    (folder / MARK).mkdir(parents=True)
    assert "cannot be removed" in Coherence(folder).end(whole=True)


def test_files_are_back_when_they_still_follow_and_gone_otherwise(folder: Path) -> None:
    folder.mkdir()
    one, two = folder / "one", folder / "two"
    coherence = Coherence(folder)
    one.write_text("1")
    with coherence.aside([one, two]) as bring_back:
        assert not one.exists()
        bring_back()
    assert one.read_text() == "1"
    with coherence.aside([one, two]):
        pass
    assert list(folder.iterdir()) == []
    one.write_text("1")
    with pytest.raises(ValueError), coherence.aside([one]) as bring_back:
        raise ValueError
    assert list(folder.iterdir()) == []


def test_what_a_killed_run_took_away_does_not_come_back(folder: Path) -> None:
    (folder / ".before").mkdir(parents=True)
    (folder / ".before/one").write_text("old")
    with Coherence(folder).aside([folder / "one"]) as bring_back:
        bring_back()
    assert list(folder.iterdir()) == []


def test_only_the_files_that_are_wanted_are_kept(tmp_path: Path) -> None:
    names = (
        "Image",
        "old.ext4",
        "dtb/a",
        "dtb/b",
        "early/rootfs.tar",
        "gone/rootfs.tar",
        "gone/x/y",
    )
    for name in (*names, MARK):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("early")
    coherence = Coherence(tmp_path)
    kept = ("Image", "dtb/b", "early/rootfs.tar", "late/rootfs.tar")
    assert coherence.keep_only(kept) == ("gone",)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*kept[:3], MARK} and not (tmp_path / "link").is_symlink()
    assert coherence.keep_only(kept) == ()


def test_a_link_in_place_of_a_folder_goes_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/mine").touch()
    images = tmp_path / "images"
    images.mkdir()
    (images / "early").symlink_to("../elsewhere")
    Coherence(images).keep_only(("early/rootfs.tar",))
    assert list(images.iterdir()) == [] and (tmp_path / "elsewhere/mine").exists()


def test_a_folder_in_place_of_a_file_stays_for_the_error(tmp_path: Path) -> None:
    (tmp_path / "Image").mkdir()
    Coherence(tmp_path).keep_only(("Image",))
    assert (tmp_path / "Image").is_dir()
    assert Coherence(tmp_path / "none").keep_only(("Image",)) == ()
