"""quard.remote.away: what a remote cache was seen to have."""

from __future__ import annotations

import os
from pathlib import Path

from quard.remote.away import Away, remove_old

SHA, OTHER = "a" * 64, "b" * 64
DAY = 24 * 3600


def test_what_was_noted_is_not_missing_until_it_is_forgotten(tmp_path: Path) -> None:
    away = Away(tmp_path, "http://one/x")
    assert away.missing((SHA, OTHER)) == {SHA, OTHER}
    away.note(SHA, 12)
    assert away.missing((SHA, OTHER)) == {OTHER}
    assert (away.size(SHA), away.size(OTHER)) == (12, None)
    assert Away(tmp_path, "http://other/x").missing((SHA,)) == {SHA}
    away.forget(SHA)
    away.forget(SHA)
    assert away.missing((SHA,)) == {SHA}


def test_a_damaged_note_has_no_size(tmp_path: Path) -> None:
    away = Away(tmp_path, "http://one/x")
    away.note(SHA, 12)
    (note,) = (path for path in tmp_path.rglob("*") if path.is_file())
    note.write_text("")
    assert away.size(SHA) is None


def test_old_notes_are_removed_whatever_their_address(tmp_path: Path) -> None:
    now = 1_000 * DAY
    for address, sha256, days in (("http://one", SHA, 91), ("http://two", OTHER, 89)):
        Away(tmp_path, address).note(sha256, 1)
        (path,) = tmp_path.rglob(sha256)
        os.utime(path, (now - days * DAY, now - days * DAY))
    assert remove_old(tmp_path, now, dry=True) == 1
    assert Away(tmp_path, "http://one").missing((SHA,)) == frozenset()
    assert remove_old(tmp_path, now) == 1
    assert Away(tmp_path, "http://one").missing((SHA,)) == {SHA}
    assert Away(tmp_path, "http://two").missing((OTHER,)) == frozenset()
    assert remove_old(tmp_path / "nothing", now) == 0
