"""Boards of many packages: SCons looks at what changed, and would say the same of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.synthetic import Board, generate

SIZE = 10


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """A synthetic board, built."""
    made = generate(tmp_path, SIZE)
    first = made.project.run()
    assert first.status == 0, first.text
    assert len(first.built) == SIZE
    return made


def signatures(board: Board) -> tuple[int, int]:
    status = (board.project.folder / "out/sconsign.dblite").stat()
    return status.st_ino, status.st_mtime_ns


def test_a_null_build_makes_nothing_and_writes_no_signatures(board: Board) -> None:
    before = signatures(board)
    ran = board.project.run()
    assert ran.built == [] and ran.summary["images"] == []
    assert len(ran.summary["up_to_date"]) == SIZE
    assert "everything is up to date" in ran.out
    assert signatures(board) == before


def test_a_changed_leaf_is_built_and_the_images_and_nothing_else(board: Board) -> None:
    board.change_leaf("once more")
    ran = board.project.run()
    assert ran.built == [board.leaf.name]
    assert ran.summary["images"] == ["rootfs.tar"]
    assert len(ran.summary["up_to_date"]) == SIZE - 1
    again = board.project.run()
    assert again.built == [] and again.summary["images"] == []


def test_scons_looks_at_the_changed_package_alone(board: Board) -> None:
    board.change_leaf("once more")
    tree = board.project.run("-n", "--tree=all").out
    assert f"{board.leaf.name}.json" in tree
    for shape in board.shapes:
        if shape.name not in (board.leaf.name, *board.leaf.needs):
            assert f"{shape.name}." not in tree


def test_scons_itself_says_the_same_of_what_it_was_not_asked_about(board: Board) -> None:
    board.change_leaf("once more")
    board.project.run()
    board.project.run()
    selection = board.project.own_engine() / "site_tools/quardroot/selection.py"
    text = selection.read_text()
    assert "if not all_of_them and" in text
    selection.write_text(text.replace("if not all_of_them and", "if False and"))
    ran = board.project.run("--debug=explain")
    selection.write_text(text)
    assert ran.built == ran.summary["restored"] == ran.summary["images"] == []
    assert "rebuilding" not in ran.out


def test_a_changed_interface_reaches_its_users_and_no_others(board: Board) -> None:
    hub = next(shape.name for shape in board.shapes if shape.kind == "hub")
    header = board.project.folder / "packages" / hub / f"{hub}.h"
    header.write_text(header.read_text() + "#define ANOTHER 1\n")
    ran = board.project.run()
    below: set[str] = {hub}
    for shape in board.shapes:
        if below.intersection(shape.needs):
            below.add(shape.name)
    assert set(ran.built) == below
    assert 1 < len(below) < SIZE
    assert board.project.run().built == []


def test_a_lost_blob_is_made_anew(board: Board) -> None:
    for path in (board.project.cache / "store/cas").rglob("*"):
        if path.is_file():
            path.unlink()
    ran = board.project.run()
    assert len(ran.built) == SIZE
    assert board.project.run().built == []


def test_a_result_file_that_is_gone_is_restored(board: Board) -> None:
    path = board.project.folder / f"out/tiny/units/{board.leaf.name}.json"
    before = path.read_bytes()
    path.unlink()
    ran = board.project.run()
    assert ran.summary["restored"] == [board.leaf.name]
    assert path.read_bytes() == before
    assert ran.summary["images"] == []


def test_without_its_signature_file_scons_looks_at_everything(board: Board) -> None:
    (board.project.folder / "out/sconsign.dblite").unlink()
    ran = board.project.run()
    assert ran.built == [] and len(ran.summary["restored"]) == SIZE


def test_a_package_by_name_is_taken_as_it_is_or_built(board: Board) -> None:
    name = board.leaf.name
    ran = board.project.run(name)
    assert ran.status == 0, ran.text
    assert ran.built == [] and name in ran.summary["up_to_date"]
    board.change_leaf("once more")
    assert board.project.run(name).built == [name]
    forced = board.project.run(f"{name}-rebuild")
    assert forced.built == [name]
    whole = board.project.run()
    assert whole.built == [] and whole.summary["images"] == ["rootfs.tar"]


def test_cleaning_removes_every_result(board: Board) -> None:
    assert board.project.run("-c").status == 0
    left = (board.project.folder / "out/tiny/units").glob("*.json")
    assert [path.name for path in left if path.name.count(".") == 1] == []
    ran = board.project.run()
    assert len(ran.summary["restored"]) == SIZE


def test_a_board_that_was_built_in_between_leaves_the_answers_right(board: Board) -> None:
    board.project.board(["libc"], name="other")
    assert board.project.run(board="other").status == 0
    ran = board.project.run()
    assert ran.built == ran.summary["restored"] == ran.summary["images"] == []
