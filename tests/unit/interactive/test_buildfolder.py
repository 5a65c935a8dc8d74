"""Which `.config` was written by a person, told by what was noted when it was left."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.interactive.buildfolder import UNSAVED, edited, note, whole
from quard.process.sandbox import Work

OURS = "CONFIG_A=y\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An environment's folder with a `.config` of ours."""
    Work(tmp_path / "menu").make()
    (tmp_path / "menu/src/.config").write_text(OURS)
    note(tmp_path / "menu", OURS)
    return tmp_path / "menu"


def test_what_was_left_is_not_edited_and_anything_else_is(root: Path) -> None:
    assert edited(root) is None
    (root / "src/.config").write_text(OURS + "CONFIG_B=y\n")
    assert edited(root) == OURS + "CONFIG_B=y\n"
    (root / "src/.config").write_text(OURS)
    assert edited(root) is None


def test_bytes_that_are_no_text_come_through(root: Path) -> None:
    (root / "src/.config").write_bytes(b'CONFIG_NAME="\xff"\n')
    text = edited(root)
    assert text is not None
    assert text.encode(errors="surrogateescape") == b'CONFIG_NAME="\xff"\n'
    note(root, text)
    assert edited(root) is None


def test_what_is_noted_as_not_kept_yet_is_edited_whatever_it_is(root: Path) -> None:
    note(root, UNSAVED)
    assert edited(root) == OURS


def test_what_trials_leave_behind_when_they_are_killed_is_nobodys_edit(root: Path) -> None:
    note(root, "")
    (root / "src/.config").write_text("CONFIG_TRIAL=y\n")
    assert edited(root) is None


def test_a_config_that_was_removed_is_no_edit(root: Path) -> None:
    (root / "src/.config").unlink()
    assert edited(root) is None


def test_a_config_that_is_a_link_is_not_followed(root: Path) -> None:
    (root / "src/.config").unlink()
    (root / "src/.config").symlink_to("/etc/passwd")
    with pytest.raises(OSError):
        edited(root)


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_a_damaged_note_is_none(root: Path, text: str) -> None:
    (root / "buildfolder.json").write_text(text)
    (root / "src/.config").write_text("CONFIG_B=y\n")
    assert edited(root) is None


def test_a_folder_that_was_never_filled_has_no_edit(tmp_path: Path) -> None:
    assert edited(tmp_path / "nothing") is None


def test_a_folder_is_whole_with_all_of_its_parts(root: Path) -> None:
    work = Work(root)
    assert whole(work)
    work.home.rmdir()
    assert not whole(work)
