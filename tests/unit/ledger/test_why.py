"""Why a package is built: each changed input is named, and nothing that did not change."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from quard.base.files import FileRef
from quard.ledger.why import reasons
from quard.plan.plan import Plan, RunStep

PLAN = Plan(
    name="thing",
    version="1.0",
    triple="riscv64-linux-gnu",
    sources=("a" * 64, "b" * 64),
    patches=(FileRef("1.patch", "1" * 64),),
    files=(FileRef("x.fragment", "2" * 64),),
    features=(("fast", True), ("small", False)),
    needs=("libmnl",),
    links=("zlib",),
    tools=("bison",),
    env=(("A", "1"),),
    cflags="-O2",
    hardening=("pie", "relro"),
    steps=(
        RunStep("configure", ("./configure", "--with-x")),
        RunStep("build", ("make", "all")),
        RunStep("install", ("make", "install")),
    ),
    drop=("usr/share",),
)


def depends(plan: Plan = PLAN, **changes: Any) -> dict[str, Any]:
    """Return what a build depends on, in the form that the packager hands over."""
    interfaces = {"libmnl": "5" * 64, "zlib": "6" * 64}
    return {
        "record": 1,
        "plan": plan.instructions(),
        "archive": "a" * 64,
        "toolchain": "7" * 64,
        "interfaces": interfaces,
        **changes,
    }


def after(plan: Plan = PLAN, **changes: Any) -> tuple[str, ...]:
    """Return the reasons of a build now, with the last one's inputs read back from a file."""
    return reasons(json.loads(json.dumps(depends())), depends(plan, **changes))


def changed(**fields: Any) -> tuple[str, ...]:
    return after(dataclasses.replace(PLAN, **fields))


def test_a_package_never_built_here_says_so() -> None:
    assert reasons(None, depends()) == ("it has not been built here before",)


def test_equal_inputs_give_no_reason_whatever_they_were_read_from() -> None:
    assert after() == ()
    assert reasons(depends(), depends()) == ()


FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "environment": ({"env": (("A", "2"),)}, "env: {'A': '1'} -> {'A': '2'}"),
    "version": ({"version": "1.1"}, "version: 1.0 -> 1.1"),
    "local tree": ({"tree": "d" * 64}, "built from a local source tree"),
    "feature": ({"features": (("fast", False), ("small", False))}, "feature fast: on -> off"),
    "new feature": (
        {"features": (("fast", True), ("new", True), ("small", False))},
        "feature new: absent -> on",
    ),
    "feature gone": ({"features": (("fast", True),)}, "feature small: off -> absent"),
    "patch": ({"patches": (FileRef("1.patch", "3" * 64),)}, "patch 1.patch changed"),
    "patch gone": ({"patches": ()}, "patch 1.patch removed"),
    "patch added": (
        {"patches": (*PLAN.patches, FileRef("2.patch", "3" * 64))},
        "patch 2.patch added",
    ),
    "file": ({"files": (FileRef("x.fragment", "3" * 64),)}, "file x.fragment changed"),
    "flags": ({"cflags": "-Os"}, "cflags: -O2 -> -Os"),
    "hardening": (
        {"hardening": ("fortify=2", "relro")},
        "hardening: pie relro -> fortify=2 relro",
    ),
    "no flags": ({"cflags": ""}, "cflags: -O2 -> none"),
    "needs": ({"needs": ()}, "needs: libmnl -> none"),
    "links": ({"links": ("a", "zlib")}, "links: zlib -> a zlib"),
    "tools": ({"tools": ("bison", "flex")}, "tools: bison -> bison flex"),
    "drop": ({"drop": ("usr/lib",)}, "drop: usr/share -> usr/lib"),
    "triple": ({"triple": "x-y"}, "triple: riscv64-linux-gnu -> x-y"),
    "option": (
        {"steps": (RunStep("configure", ("./configure", "--with-y")), *PLAN.steps[1:])},
        "configure: - --with-x, + --with-y",
    ),
    "step gone": ({"steps": PLAN.steps[:2]}, "install: - install, - make"),
    "order": (
        {"steps": (RunStep("configure", ("--with-x", "./configure")), *PLAN.steps[1:])},
        "configure: the order of the commands changed",
    ),
}


@pytest.mark.parametrize(("fields", "reason"), FIELDS.values(), ids=FIELDS)
def test_a_changed_field_of_the_plan_is_the_one_reason(fields: dict[str, Any], reason: str) -> None:
    assert changed(**fields) == (reason,)


def test_every_field_of_the_plan_gives_a_reason_when_it_changes() -> None:
    """A field that somebody adds to the plan must not stay silent.

    The name is part of the file's own name; `deploys` follows from the steps.
    """
    for key, value in PLAN.instructions().items():
        if key in ("name", "deploys"):
            continue
        new = depends()
        match value:
            case int():
                new["plan"][key] = value + 1
            case str():
                new["plan"][key] = value + "x"
            case dict():
                new["plan"][key] = {**value, "x": True}
            case _ if key in ("patches", "files"):
                new["plan"][key] = [*value, ["x", "8" * 64]]
            case _ if key == "steps":
                new["plan"][key] = list(value)[:1]
            case _:
                new["plan"][key] = [*value, "x"]
        assert reasons(json.loads(json.dumps(depends())), new), key


def test_a_tree_that_changes_and_goes_is_told_apart() -> None:
    first = depends(dataclasses.replace(PLAN, tree="d" * 64))
    second = depends(dataclasses.replace(PLAN, tree="e" * 64))
    assert reasons(first, second) == ("the local source tree changed",)
    assert reasons(second, depends()) == ("built from the archive again",)


def test_an_archive_that_is_not_accepted_any_more_is_a_reason() -> None:
    reason = f"the archive it was made from is no longer accepted: sha256 {'a' * 64}"
    assert after(archive="c" * 64) == (reason,)


def test_a_new_version_says_enough_about_its_archive() -> None:
    newer = dataclasses.replace(PLAN, version="1.1")
    assert after(newer, archive="c" * 64) == ("version: 1.0 -> 1.1",)


def test_accepted_archives_alone_are_no_reason() -> None:
    assert changed(sources=("a" * 64,)) == ()


def test_the_toolchain_is_a_reason() -> None:
    assert after(toolchain="8" * 64) == ("the cross toolchain changed",)


def test_changed_new_and_lost_interfaces_are_reasons_by_name() -> None:
    assert after(interfaces={"libmnl": "5" * 64, "zlib": "9" * 64}) == (
        "interface of zlib changed",
    )
    assert after(interfaces={"libmnl": "5" * 64, "new": "9" * 64}) == (
        "interface of new changed",
        "interface of zlib changed",
    )


def test_what_changed_in_an_interface_is_named_if_that_is_known() -> None:
    known = {("zlib", "6" * 64, "9" * 64): ["+ symbol a", "+ symbol b", "- symbol c", "+ symbol d"]}
    found = reasons(
        json.loads(json.dumps(depends())),
        depends(interfaces={"libmnl": "8" * 64, "zlib": "9" * 64}),
        lambda *asked: known.get(asked, ()),
    )
    assert found == (
        "interface of libmnl changed",
        "interface of zlib: + symbol a, + symbol b, - symbol c, and 1 more",
    )


def test_that_builds_are_sealed_now_is_a_reason_and_that_they_are_not_is_none() -> None:
    sealed = {**depends(), "sealed": True}
    assert reasons({**sealed, "sealed": False}, sealed) == ("builds are sealed now",)
    assert reasons(sealed, {**sealed, "sealed": False}) == ()


def test_steps_that_follow_from_another_change_are_not_a_second_reason() -> None:
    plan = dataclasses.replace(PLAN, version="1.1", steps=PLAN.steps[:1])
    assert after(plan) == ("version: 1.0 -> 1.1",)


def test_several_changes_come_in_a_fixed_order() -> None:
    plan = dataclasses.replace(PLAN, version="2", cflags="-Os", patches=())
    found = after(plan, toolchain="8" * 64, interfaces={})
    assert found == (
        "version: 1.0 -> 2",
        "patch 1.patch removed",
        "cflags: -O2 -> -Os",
        "the cross toolchain changed",
        "interface of libmnl changed",
        "interface of zlib changed",
    )
