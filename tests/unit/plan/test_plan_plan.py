"""The plan as data: equal plans, equal identities, and the other way round."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from quard.base import canonical
from quard.base.files import FileRef
from quard.plan.plan import (
    EXECUTOR,
    ORIGINS,
    CopyStep,
    HeadersStep,
    KconfigStep,
    LinkStep,
    Plan,
    RunStep,
    ToolchainStep,
    WriteStep,
)

PLAN = Plan(name="thing", version="1", triple="t")
OTHER: dict[str, Any] = {
    "name": "other",
    "version": "2",
    "triple": "u",
    "sources": ("a",),
    "further": (("x", "a"),),
    "tree": "b",
    "folders": (("x", "a"),),
    "patches": (FileRef("p", "1"),),
    "files": (FileRef("f", "1"),),
    "features": (("x", True),),
    "needs": ("a",),
    "links": ("a",),
    "exports": ("a",),
    "tools": ("a",),
    "env": (("A", "1"),),
    "cflags": "-O2",
    "hardening": ("pie",),
    "natives": ("gen:programs",),
    "native": True,
    "steps": (RunStep("build", ("make",)),),
    "drop": ("x",),
    "expects": ("x",),
    "parts": (("libs", ("x",)),),
    "deploys": True,
    "licenses": ("COPYING",),
    "taken": True,
    "answers": True,
}
STEPS = (
    RunStep("build", ("make",)),
    RunStep("install", ("make",)),
    RunStep("build", ("make", "")),
    RunStep("build", ("make ",)),
    RunStep("build", ("make",), modular=True),
    RunStep("build", ("make",), serial=True),
    CopyStep("build", "a", "b", "0644"),
    CopyStep("build", "a", "b", "0755"),
    CopyStep("build", "a", "b", "0755", ()),
    CopyStep("build", "a", "b", "0755", (("a", "b"),)),
    LinkStep("build", "a", "b"),
    LinkStep("build", "b", "a"),
    WriteStep("build", "a", "b\n"),
    WriteStep("build", "b", "a\n"),
    WriteStep("build", "a", "b\nb\n"),
    KconfigStep("build", ("make",), "a", "b", ("f",), ("l",)),
    KconfigStep("build", ("make",), "b", "a", ("f",), ("l",)),
    KconfigStep("build", ("make",), "a", "b", ("f", "l"), ()),
    KconfigStep("build", ("make",), "a", "b", ("f",), (), ("l",)),
    ToolchainStep("build", ("a",), "b"),
    ToolchainStep("build", ("a", "b"), ""),
    ToolchainStep("build", ("a",), "b", ("c",)),
    HeadersStep("build", ("a",)),
    HeadersStep("build", ("a", "b")),
)


def test_every_field_but_those_that_change_no_result_is_in_the_identity() -> None:
    assert set(OTHER) == {field.name for field in dataclasses.fields(Plan)}
    changes = [{name: new} for name, new in OTHER.items() if name not in ("exports", "sources")]
    plans = [PLAN, *(dataclasses.replace(PLAN, **change) for change in changes)]
    assert len({plan.identity for plan in plans}) == len(plans)


def test_accepted_archives_are_in_the_plan_and_not_in_its_identity() -> None:
    """A result names the one that it was made from: another one beside it changes nothing."""
    plan = dataclasses.replace(PLAN, sources=("a", "b"))
    assert plan.identity == PLAN.identity
    assert plan.as_json() != PLAN.as_json()
    assert (plan.archives, PLAN.archives) == (("a", "b"), ("",))


def test_what_dependants_see_as_well_is_in_the_plan_and_not_in_its_identity() -> None:
    """It decides whether an installed file is refused. Dependants have it in their own plans."""
    plan = dataclasses.replace(PLAN, exports=("a",))
    assert plan.identity == PLAN.identity
    assert plan.as_json() != PLAN.as_json()


def test_a_plan_without_a_source_contains_the_version_of_its_record() -> None:
    """The record says where its files come from: an older one says it in another way, or not."""
    assert dataclasses.replace(PLAN, taken=True).instructions()["origins"] == ORIGINS
    assert "origins" not in PLAN.instructions()


def test_every_difference_between_steps_is_in_the_identity() -> None:
    plans = [dataclasses.replace(PLAN, steps=(step,)) for step in STEPS]
    assert len({plan.identity for plan in plans}) == len(STEPS)
    fields = {name for step in STEPS for name in step.__dataclass_fields__}
    assert fields == {
        "phase", "argv", "modular", "serial", "source", "destination", "mode", "path", "target",
        "make", "base", "refresh", "fragments", "lines", "relied", "libraries", "loader", "folders",
        "optional", "text", "values",
    }  # fmt: skip


@pytest.mark.parametrize("order", [STEPS, STEPS[::-1]])
def test_the_order_of_steps_is_in_the_identity(order: tuple[Any, ...]) -> None:
    plan = dataclasses.replace(PLAN, steps=order)
    assert json.loads(canonical.canonical(plan.as_json()))["steps"] == json.loads(
        json.dumps([step.as_json() for step in order])
    )


def test_the_order_of_patches_is_in_the_identity() -> None:
    a, b = FileRef("a", "1"), FileRef("b", "2")
    plans = [dataclasses.replace(PLAN, patches=order) for order in ((a, b), (b, a))]
    assert plans[0].identity != plans[1].identity


def test_the_executors_version_is_in_the_identity() -> None:
    assert PLAN.as_json()["executor"] == EXECUTOR


def test_equal_plans_have_equal_identities_and_the_identity_is_the_canonical_digest() -> None:
    again = Plan(name="thing", version="1", triple="t")
    assert again.identity == PLAN.identity == canonical.digest(PLAN.instructions())
