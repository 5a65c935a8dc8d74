"""The units of each board as a file: a review shows what a change does to the images.

boards/NAME.json lists every unit with its inputs, and the plans of what belongs to the images.
What the disk says (overlays, tables, the parts of run.sh) stands there as a fixed word.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tree_plans import row

import on_file
from golden.test_golden import BOARD, PLANNED, TOP
from quard.base import canonical
from quard.boards import board
from quard.boards.trees import Trees
from quard.plan.unit import Unit

HERE = Path(__file__).resolve().parent / "boards"
TREES = Trees(TOP), Trees(TOP / "tests/golden")
"""Trees with boards: the shipped ones, and the tests' own, which has named roots."""
FILES = {name: trees for trees in TREES for name in board.names(trees)}
BOARDS = tuple(FILES)


def units(name: str, **changes: Any) -> dict[str, Unit]:
    """Return the units of a board with every feature that is wanted if available."""
    chosen = dataclasses.replace(board.load(FILES[name], name), **changes)
    return PLANNED.units(chosen)


@pytest.mark.parametrize("name", BOARDS)
def test_the_units_are_those_on_file(name: str, update: bool) -> None:
    path = HERE / f"{name}.json"
    text = canonical.readable({unit.id: row(unit) for unit in units(name).values()})
    if update:
        on_file.write(path, text)
    if changes := on_file.difference(path, text, now="the units of now", command=on_file.GOLDEN):
        pytest.fail(changes, pytrace=False)


def test_no_file_is_left_of_a_board_that_is_gone() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == set(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_inputs_are_units_that_come_before_and_have_that_part(name: str) -> None:
    seen: dict[str, Unit] = {}
    for unit in units(name).values():
        for each in unit.inputs:
            assert each.part in seen[each.unit].parts
        seen[unit.id] = unit
    assert f"{BOARD}/rootfs.tar" in units(BOARD)


def test_a_new_size_of_the_ext4_file_system_changes_no_other_plan() -> None:
    before, after = units(BOARD), units(BOARD, size_mib=4096)
    assert {u.name for u in before.values() if u.plan != after[u.id].plan} == {"rootfs.ext4"}
