"""What a result is made from, and which results are taken for which inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from quard.base import canonical
from quard.ledger.results import acceptable, as_before, depends
from quard.plan.plan import Plan

A, B, C = "a" * 64, "b" * 64, "c" * 64
PLAN = Plan(name="thing", version="1", triple="t", sources=(A, B))


def inputs(archive: str = A, *, sealed: bool = True, plan: Plan = PLAN) -> dict[str, Any]:
    return depends(plan, "7" * 64, archive=archive, sealed=sealed, interfaces={})


def key(made: Mapping[str, Any]) -> str:
    return canonical.digest(made)


def test_each_archive_has_a_key_of_its_own() -> None:
    assert len({key(inputs(archive)) for archive in (A, B, "")}) == 3


@pytest.mark.parametrize("sources", [(A,), (A, B, C), (B, A), ()])
def test_what_else_is_accepted_is_no_part_of_the_key(sources: tuple[str, ...]) -> None:
    other = Plan(name="thing", version="1", triple="t", sources=sources)
    assert key(inputs(plan=other)) == key(inputs())


def test_lookups_go_by_the_recipe_s_order_whichever_archive_the_inputs_name() -> None:
    for archive in (A, B):
        found = [made["archive"] for made in acceptable(inputs(archive), (B, A))]
        assert found == [B, A]


def test_what_was_made_sealed_is_taken_first_of_each_archive() -> None:
    found = [(m["archive"], m["sealed"]) for m in acceptable(inputs(sealed=False), (A, B))]
    assert found == [(A, True), (A, False), (B, True), (B, False)]


def test_a_key_that_was_looked_up_is_the_key_that_was_kept() -> None:
    assert key(inputs(B)) in map(key, acceptable(inputs(A), (A, B)))


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
