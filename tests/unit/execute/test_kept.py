"""The mark on a folder whose build failed, and a kept folder that no build goes on in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.execute import kept
from quard.plan.plan import Plan

BASE, OTHER = "a" * 64, "b" * 64


def fail(work: Path, name: str) -> None:
    """Have a build fail in a folder."""
    with pytest.raises(QuardError), kept.marking(work, name):
        raise QuardError("no", reason="build-failed")


def test_a_failed_build_marks_the_folder_that_it_leaves(tmp_path: Path) -> None:
    fail(tmp_path, BASE)
    assert kept.failed(tmp_path, (OTHER, BASE))
    assert not kept.failed(tmp_path, (OTHER,))


def test_a_build_that_ended_well_marks_nothing(tmp_path: Path) -> None:
    with kept.marking(tmp_path, BASE):
        pass
    assert not kept.failed(tmp_path, (OTHER, BASE))


def test_a_failed_build_that_left_no_folder_marks_nothing(tmp_path: Path) -> None:
    fail(tmp_path / "gone", BASE)
    assert not (tmp_path / "gone").exists()
    assert not kept.failed(tmp_path / "gone", (BASE,))


def test_the_next_build_in_the_folder_takes_the_mark_away(tmp_path: Path) -> None:
    fail(tmp_path, BASE)
    kept.keep(tmp_path, BASE, {})
    assert kept.claim(tmp_path, BASE) == {}
    assert not kept.failed(tmp_path, (OTHER, BASE))


def test_no_build_goes_on_in_a_folder_that_is_forgotten(tmp_path: Path) -> None:
    kept.keep(tmp_path, BASE, {})
    kept.forget(tmp_path)
    assert kept.claim(tmp_path, BASE) is None
    kept.forget(tmp_path)


def test_another_division_of_the_files_goes_on_in_the_folder() -> None:
    """The staging folder is filled again in each build."""
    plan = Plan(name="x", version="1", triple="t")
    other = dataclasses.replace(plan, parts=(("libs", ("etc",)),), licenses=("COPYING",))
    dropping = dataclasses.replace(plan, drop=("etc",))

    def base(plan: Plan) -> str:
        return kept.base({"plan": plan.instructions(), "toolchain": "t"}, None)

    assert base(other) == base(plan) != base(dropping)
