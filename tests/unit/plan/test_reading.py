"""A plan that is read back from its data is the same plan, or it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quard.base.canonical import canonical
from quard.plan.plan import Plan
from quard.plan.reading import read_plan

GOLDEN = sorted((Path(__file__).resolve().parents[2] / "golden").glob("*.json"))
EMPTY = Plan(name="zlib", version="1", triple="riscv64-linux-gnu")


def data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(canonical(EMPTY.as_json()))
    return found


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_every_plan_of_the_catalogue_comes_back(path: Path) -> None:
    written = json.loads(path.read_bytes())
    plan = read_plan(written)
    assert canonical(plan.as_json()) == canonical(written)
    assert read_plan(json.loads(canonical(plan.as_json()))) == plan


def test_folders_of_the_recipe_come_back() -> None:
    plan = Plan(name="x", version="1", triple="t", folders=(("lib/x", "d" * 64),))
    assert read_plan(json.loads(canonical(plan.as_json()))) == plan


def test_packages_that_dependants_see_as_well_come_back() -> None:
    plan = Plan(name="x", version="1", triple="t", needs=("a", "b"), exports=("a",))
    assert read_plan(json.loads(canonical(plan.as_json()))) == plan


def test_a_plan_of_another_executor_is_refused() -> None:
    with pytest.raises(ValueError, match="executor 0"):
        read_plan({**data(), "executor": 0})


@pytest.mark.parametrize("name", sorted(EMPTY.as_json()))
def test_a_plan_that_lacks_something_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"plan"):
        read_plan({key: value for key, value in data().items() if key != name})


@pytest.mark.parametrize(
    "more",
    [
        {"later": 1},
        {"steps": [{"phase": "build", "fly": ["away"]}]},
        {"steps": [{"phase": "build", "run": ["make"], "later": 1}]},
        {"steps": [{"phase": "build", "copy": ["a"]}]},
        {"files": [["name"]]},
        {"features": []},
    ],
)
def test_what_this_version_does_not_know_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"plan|step|unpack"):
        read_plan({**data(), **more})
