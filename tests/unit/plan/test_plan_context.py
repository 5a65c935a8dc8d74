"""What a build style sees: values for every early placeholder, features, steps."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from plan_parts import COMMON, FAST, RISCV, SMALL, context

from quard.base.placeholders import LATE, PLACEHOLDERS
from quard.boards.targets import target
from quard.model import Autotools, Install, Run, Symlink
from quard.plan.context import BUILD_TRIPLE
from quard.plan.plan import CopyStep, LinkStep, RunStep

TOP = Path(__file__).resolve().parents[3]
TRIPLES = sorted(path.stem for path in (TOP / "configs/targets").glob("*.toml"))
RECIPE = Autotools(**COMMON, features=(FAST, SMALL))


def test_every_placeholder_is_either_early_or_late() -> None:
    early = {name for name in context(RECIPE).values if "." not in name}
    assert {*early, *LATE} == set(PLACEHOLDERS)
    assert not set(context(RECIPE).values) & set(LATE)


def test_the_values_are_those_of_package_board_and_target() -> None:
    assert context(RECIPE).values == {
        "name": "thing",
        "version": "1.2",
        "triple": RISCV.triple,
        "cross": "riscv64-linux-gnu-",
        "prefix": "/usr",
        "build": BUILD_TRIPLE,
        "linux_arch": "riscv",
        "linux_image": "Image",
        "openssl.target": "linux64-riscv64",
        "cflags": "-O2",
    }


@pytest.mark.parametrize("triple", TRIPLES)
def test_the_build_machines_name_never_equals_a_targets(triple: str) -> None:
    """Otherwise configure scripts would think that they can run what they build.

    Some complete both names first (config.sub): to "pc" as the vendor of x86, and "unknown" else.
    """
    build = dataclasses.replace(context(RECIPE), target=target(triple)).values["build"]
    cpu, _, system = triple.partition("-")
    completed = {f"{cpu}-{vendor}-{system}" for vendor in ("pc", "unknown")}
    assert build not in {triple, *completed}


def test_choices_are_those_of_each_features_branch_in_the_recipes_order() -> None:
    found = context(RECIPE, {"small": True, "fast": False}).choices()
    assert found == ("--slow", "--small")
    found = context(RECIPE, {"small": False, "fast": True}).choices()
    assert found == ("--fast=1.2", "--really", "--large=riscv64-linux-gnu")


def test_steps_are_rendered_and_keep_their_order_and_phase() -> None:
    found = context(RECIPE).steps(
        "prepare",
        (
            Run("cp", "{files}/{name}.h", "{src}"),
            Install("lib{name}.so.{version}", "usr/lib/lib{name}.so", mode="0755"),
            Symlink("usr/lib/{name}", "{name}-{version}"),
        ),
    )
    assert found == (
        RunStep("prepare", ("cp", "{files}/thing.h", "{src}")),
        CopyStep("prepare", "libthing.so.1.2", "usr/lib/libthing.so", "0755"),
        LinkStep("prepare", "usr/lib/thing", "thing-1.2"),
    )
