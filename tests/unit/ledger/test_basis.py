"""What a result is made from, and which results are taken for which inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from quard.ledger.basis import acceptable, as_before, basis, key, key_of
from quard.plan.image import ScriptPlan
from quard.plan.plan import Plan
from quard.plan.unit import Input, Unit

A, B, C = "a" * 64, "b" * 64, "c" * 64
PLAN = Plan(name="thing", version="1", triple="t", sources=(A, B))
SEES = Input("zlib@one", "interface")


def unit(plan: Plan = PLAN, configuration: str = "one") -> Unit:
    return Unit(f"thing@{configuration}", plan, (Input(f"zlib@{configuration}", "interface"),))


def inputs(archive: str = A, *, sealed: bool = True, plan: Plan = PLAN) -> dict[str, Any]:
    by = {"toolchain": "7" * 64, "sealed": sealed}
    return basis(unit(plan), {SEES.name: "5" * 64}, by, archive)


def test_each_archive_has_a_key_of_its_own() -> None:
    assert len({key(inputs(archive)) for archive in (A, B, "")}) == 3


@pytest.mark.parametrize("sources", [(A,), (A, B, C), (B, A), ()])
def test_what_else_is_accepted_is_no_part_of_the_key(sources: tuple[str, ...]) -> None:
    other = dataclasses.replace(PLAN, sources=sources)
    assert key(inputs(plan=other)) == key(inputs())


@pytest.mark.parametrize(
    "change",
    [
        {"by": {"toolchain": "8" * 64, "sealed": True}},
        {"by": {"toolchain": "7" * 64, "sealed": False}},
        {"inputs": {"zlib:interface": "6" * 64}},
        {"inputs": {}},
        {"plan": {}},
        {"record": 0},
    ],
)
def test_whatever_a_result_depends_on_is_part_of_its_key(change: dict[str, Any]) -> None:
    assert key({**inputs(), **change}) != key(inputs())


def test_the_short_way_to_a_key_gives_the_same_one() -> None:
    by = {"toolchain": "7" * 64, "sealed": True}
    assert key_of(unit(), {SEES.name: "5" * 64}, by, A) == key(inputs())


def test_equal_plans_have_one_key_whatever_their_configuration_is_called() -> None:
    other, by = unit(configuration="two"), {"toolchain": "7" * 64, "sealed": True}
    seen = {Input("zlib@two", "interface").name: "5" * 64}
    assert key_of(other, seen, by, A) == key(inputs())


def test_lookups_go_by_the_recipe_s_order_whichever_archive_the_inputs_name() -> None:
    for archive in (A, B):
        found = [made["archive"] for made in acceptable(inputs(archive), (B, A))]
        assert found == [B, A]


def test_what_was_made_sealed_is_taken_first_of_each_archive() -> None:
    found = acceptable(inputs(sealed=False), (A, B))
    pairs = [(made["archive"], made["by"]["sealed"]) for made in found]
    assert pairs == [(A, True), (A, False), (B, True), (B, False)]


def test_a_key_that_was_looked_up_is_the_key_that_was_kept() -> None:
    assert key(inputs(B)) in map(key, acceptable(inputs(A), (A, B)))


def test_what_needs_no_sandbox_has_one_key() -> None:
    plan = ScriptPlan(machine=("virt", "x"), template="y", board="one", data="", formats=())
    script = Unit("one/run.sh", plan, ())
    assert [*acceptable(basis(script, {}, {}, ""), ("",))] == [basis(script, {}, {}, "")]


@pytest.mark.parametrize(
    ("before", "archive"), [(None, A), (inputs(A), A), (inputs(B), B), (inputs(C), A)]
)
def test_the_archive_of_the_last_result_stays_where_it_is_accepted(
    before: Mapping[str, Any] | None, archive: str
) -> None:
    assert as_before(inputs(A), before, (A, B))["archive"] == archive


def test_a_package_without_an_archive_is_known_by_that() -> None:
    plan = Plan(name="thing", version="1", triple="t")
    assert [m["archive"] for m in acceptable(inputs("", plan=plan), plan.archives)] == [""]
    assert as_before(inputs("", plan=plan), inputs(A), plan.archives)["archive"] == ""
