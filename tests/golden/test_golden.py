"""One plan per package as a file: a review shows exactly what a change does to the builds.

NAME.json is the package on the default board, with every feature that is wanted if available, or on
the board with musl if the package is for that C library;
NAME.FEATURE-on.json or NAME.FEATURE-off.json is the other branch of one feature. NAME.BOARD.json is
the package on a board for another target, if its recipe differs between targets. build/NAME.json is
the package for a build machine, if a recipe has it in `natives`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from planned import BUILD, Planned

import on_file
from quard.base import canonical
from quard.boards import board
from quard.boards.trees import Trees
from quard.plan.plan import Plan
from quard.plan.resolved import Resolved

HERE = Path(__file__).resolve().parent
NATIVES = HERE / BUILD
TOP = HERE.parents[1]
BOARD = "quard-star"
MUSL_BOARD = "quard-star-musl"
OTHER_BOARDS = (
    "quard-star-aarch64",
    "quard-star-arm",
    "quard-star-i686",
    "quard-star-s390x",
    "quard-star-x86-64",
)
"""Boards for other targets."""
PLANNED = Planned(Trees(TOP))
CATALOG = PLANNED.catalog
Branch = tuple[str, str, bool]


@cache
def resolved(branch: Branch | None = None, name: str = BOARD) -> Mapping[str, Resolved]:
    """Return every package that a board can have, with one feature set otherwise.

    They are below "", and the packages for the build machine below "build".
    """
    chosen = board.load(Trees(TOP), name)
    features = dict(chosen.features)
    if branch:
        package, feature, on = branch
        features[package, feature] = "on" if on else "off"
    chosen = dataclasses.replace(chosen, features=features)
    extra = (("", each) for each in CATALOG.names() if PLANNED.can_have(chosen, each))
    return PLANNED.resolved(chosen, extra)


def planned(name: str, branch: Branch | None = None, other: str = "") -> Plan:
    """Return the plan of a package, with one feature set otherwise, or on another board."""
    musl = CATALOG[name].recipe.c_library == "musl"
    return resolved(branch, other or (MUSL_BOARD if musl else BOARD))[""].plans[name]


def cases() -> Mapping[str, tuple[str, Branch | None]]:
    """Return file name -> package and the branch that it is about."""
    found: dict[str, tuple[str, Branch | None]] = {}
    for name in CATALOG.names():
        found[f"{name}.json"] = (name, None)
        for feature, on in planned(name).features:
            branch = "off" if on else "on"
            found[f"{name}.{feature}-{branch}.json"] = (name, (name, feature, not on))
    return found


def others() -> Mapping[str, tuple[str, str]]:
    """Return file name -> package whose recipe differs between targets, and another board."""
    varying = [name for name in CATALOG.names() if CATALOG[name].triple]
    return {
        f"{name}.{other}.json": (name, other)
        for name in varying
        for other in OTHER_BOARDS
        if name in resolved(name=other)[""].plans
    }


def difference(path: Path, text: str) -> str:
    return on_file.difference(path, text, now="the plan of now", command=on_file.GOLDEN)


@pytest.mark.parametrize("file", cases())
def test_the_plan_is_the_one_on_file(file: str, update: bool) -> None:
    name, branch = cases()[file]
    compare(HERE / file, planned(name, branch), update)


@pytest.mark.parametrize("file", others())
def test_the_plan_for_another_target_is_the_one_on_file(file: str, update: bool) -> None:
    name, other = others()[file]
    compare(HERE / file, planned(name, other=other), update)


@pytest.mark.parametrize("name", resolved()[BUILD].plans)
def test_the_plan_for_the_build_machine_is_the_one_on_file(name: str, update: bool) -> None:
    compare(NATIVES / f"{name}.json", resolved()[BUILD].plans[name], update)


def test_no_file_is_left_of_a_package_that_no_build_calls() -> None:
    assert {path.stem for path in NATIVES.glob("*")} == {*resolved()[BUILD].plans}


def compare(path: Path, plan: Plan, update: bool) -> None:
    text = canonical.readable(plan.as_json())
    if update:
        on_file.write(path, text)
    if changes := difference(path, text):
        pytest.fail(changes, pytrace=False)


def test_no_file_is_left_of_a_package_or_feature_that_is_gone(update: bool) -> None:
    known_files = {*cases(), *others()}
    left = [path for path in sorted(HERE.glob("*.json")) if path.name not in known_files]
    known = tuple(f"{name}." for name in CATALOG.names())
    left += [path for path in sorted(HERE.glob("*.paths")) if not path.name.startswith(known)]
    if update:
        for path in left:
            on_file.remove(path)
        left = []
    assert left == [], f"if this is meant: {on_file.GOLDEN}"


@pytest.mark.parametrize("name", CATALOG.names())
def test_what_the_package_installs_is_on_file(name: str) -> None:
    """Whether it installs that is seen where it is built: tests/boot/test_installed.py."""
    path = HERE / f"{name}.paths"
    assert path.exists(), (
        "build the board, then: pytest tests/boot/test_installed.py --update-golden"
    )


@pytest.mark.parametrize(
    ("branch", "name", "seen"),
    [
        (None, "curl", ("curl", "openssl", "zlib")),
        (None, "glib", ("glib", "libffi", "pcre2", "zlib")),
        (("kmod", "xz", True), "kmod", ("kmod", "xz")),
        (None, "readline", ("ncurses", "readline")),
    ],
)
def test_dependants_see_what_pkg_config_files_require(
    branch: Branch | None, name: str, seen: tuple[str, ...]
) -> None:
    assert resolved(branch)[""].graph.exported((name,)) == seen


def test_a_branch_differs_from_the_default_one() -> None:
    for name, branch in cases().values():
        if branch:
            assert planned(name, branch) != planned(name)


def test_a_change_is_shown_as_a_diff_and_with_the_command(tmp_path: Path) -> None:
    path = tmp_path / "thing.json"
    path.write_text('{\n  "cflags": "-O2",\n  "name": "thing"\n}\n')
    shown = difference(path, '{\n  "cflags": "-Os",\n  "name": "thing"\n}\n')
    assert '\n-  "cflags": "-O2",\n+  "cflags": "-Os",\n' in shown
    assert shown.startswith("--- tests/golden/thing.json\n+++ the plan of now\n")
    assert shown.endswith(on_file.GOLDEN)
    assert difference(path, path.read_text()) == ""
    assert "+new\n" in difference(tmp_path / "absent.json", "new\n")
