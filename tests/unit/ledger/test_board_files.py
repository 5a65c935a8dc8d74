"""Why a package is built names the files of a board by their paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from quard.base.files import FileRef
from quard.ledger.why import reasons
from quard.plan.plan import KconfigStep, Plan

A, B, C = "a" * 64, "b" * 64, "c" * 64
FIRST, SECOND = FileRef("board-0-x.patch", A), FileRef("board-1-y.patch", B)
PLACES = {"board-0-x.patch": "configs/x.patch", "board-1-y.patch": "acme:fix/y.patch"}


def of(patches: tuple[FileRef, ...] = (), fragments: tuple[FileRef, ...] = ()) -> Plan:
    """Return a plan with these patches and merged fragments of the board after the recipe's."""
    merged = tuple(each.name for each in fragments)
    step = KconfigStep("configure", ("make",), "defconfig", "olddefconfig", merged, ())
    own = FileRef("1.patch", C)
    return Plan(
        name="thing",
        version="1",
        triple="x",
        patches=(own, *patches),
        files=fragments,
        steps=(step,),
    )


def depends(plan: Plan) -> dict[str, Any]:
    by = {"toolchain": C}
    return {"plan": plan.instructions(), "archive": "", "by": by, "inputs": {}}


def told(old: Plan, new: Plan, places: Mapping[str, str]) -> tuple[str, ...]:
    return reasons(json.loads(json.dumps(depends(old))), depends(new), places=places)


@pytest.mark.parametrize("kind", ["patch", "file"])
def test_a_file_of_the_board_is_named_by_its_path(kind: str) -> None:
    def plan(*files: FileRef) -> Plan:
        return of(files) if kind == "patch" else of(fragments=files)

    changed = FileRef("board-0-x.patch", C)
    assert told(plan(FIRST), plan(changed), PLACES) == (f"{kind} configs/x.patch changed",)
    assert told(plan(FIRST), plan(FIRST, SECOND), PLACES) == (f"{kind} acme:fix/y.patch added",)
    assert told(plan(FIRST), plan(), {}) == (f"{kind} x.patch of the board removed",)
    assert told(plan(FIRST), plan(FIRST), PLACES) == ()


def test_a_file_whose_number_changes_is_the_same_file() -> None:
    moved, new = FileRef("board-1-x.patch", A), FileRef("board-0-new.patch", C)
    places = {"board-0-new.patch": "configs/new.patch", "board-1-x.patch": "configs/x.patch"}
    assert told(of((FIRST,)), of((new, moved)), places) == ("patch configs/new.patch added",)
    assert told(of((new, moved)), of((FIRST,)), PLACES) == ("patch new.patch of the board removed",)


def test_files_of_one_name_are_told_apart_by_their_content() -> None:
    one, two = FileRef("board-0-x.patch", A), FileRef("board-1-x.patch", B)
    left = FileRef("board-0-x.patch", B)
    places = {"board-0-x.patch": "second/x.patch"}
    assert told(of((one, two)), of((left,)), places) == ("patch x.patch of the board removed",)


def test_another_order_is_a_reason() -> None:
    other = FileRef("board-0-y.patch", B), FileRef("board-1-x.patch", A)
    places = {"board-0-y.patch": "acme:fix/y.patch", "board-1-x.patch": "configs/x.patch"}
    patches = told(of((FIRST, SECOND)), of(other), places)
    assert patches == ("the order of the patches changed",)
    fragments = told(of(fragments=(FIRST, SECOND)), of(fragments=other), places)
    assert fragments == ("the order of the fragments changed",)


def test_a_fragment_of_the_kconfig_editor_that_is_gone_has_its_path() -> None:
    edited = FileRef("board-linux.fragment", A)
    places = {edited.name: "configs/one/linux.fragment"}
    found = told(of(fragments=(edited,)), of(), places)
    assert found == ("file configs/one/linux.fragment removed",)


def test_a_recipes_file_with_such_a_name_keeps_it() -> None:
    changed = FileRef("board-0-x.patch", C)
    assert told(of((FIRST,)), of((changed,)), {}) == ("patch board-0-x.patch changed",)
