"""What a feature adds to a recipe while it is on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from recipe_parts import add, feature

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.configuration import Choice
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.plan.plan import RunStep
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.recipes.catalog import Catalog

ADDS = (
    'Adds(make=("server",), finish=(Run("strip-server"),), tools=("bison",),'
    ' services=(Service("web", 50, script="web.init"),), configs=(Config("web.conf", "etc/web"),),'
    ' users=(User("web", 80),))'
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    recipe(tmp_path, feature("server", on='("--server",)', off='("--no-server",)', adds=ADDS))
    for name in ("web.init", "web.conf"):
        (tmp_path / "packages/app" / name).write_text("#!/bin/sh\n")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/one.toml").write_text(
        'summary = "One"\ntarget = "riscv64-linux-gnu"\nmachine = "virt"\npackages = ["app"]\n'
    )
    return tmp_path


def recipe(project: Path, features: str) -> None:
    own = {"make": '("all",)', "tools": '("flex",)', "finish": '(Run("finish"),)'}
    add(project / "packages", "app", features=features, **own)


def resolve(
    project: Path,
    choice: Choice = "off",
    *,
    decided: bool = False,
    services: Mapping[str, bool] = MappingProxyType({}),
) -> Resolved:
    own = board.load(Trees(project), "one").own
    given = dataclasses.replace(own.configuration, features={("app", "server"): choice})
    own = dataclasses.replace(own, configuration=given, services=services)
    fragments = Fragments(Trees(project), given)
    made = Resolver(own, Catalog(project / "packages"), fragments)
    return made.resolve({("app", "server"): decided}, {})


def commands(found: Resolved) -> list[tuple[str, ...]]:
    return [step.argv for step in found.plans["app"].steps if isinstance(step, RunStep)]


def test_all_that_it_adds_follows_the_recipes_own(project: Path) -> None:
    on = resolve(project, "on")
    assert ("make", "all", "server") in commands(on)
    assert commands(on)[-2:] == [("finish",), ("strip-server",)]
    assert on.plans["app"].tools == ("bison", "flex")
    assert [each.path for each in on.placed] == ["etc/init.d/S50web", "etc/web"]
    assert [user.name for _, user in on.users] == ["web"]


def test_nothing_is_added_while_it_is_off(project: Path) -> None:
    off = resolve(project)
    assert ("make", "all") in commands(off)
    assert (off.plans["app"].tools, off.placed, off.users) == (("flex",), (), ())


def test_a_feature_that_is_off_has_the_plan_of_one_that_adds_nothing(project: Path) -> None:
    before = resolve(project).plans["app"].identity
    (project / "packages/app/web.init").write_text("#!/bin/sh\n:\n")
    assert resolve(project).plans["app"].identity == before
    for name in ("web.init", "web.conf"):
        (project / "packages/app" / name).unlink()
    recipe(project, feature("server", on='("--server",)', off='("--no-server",)'))
    assert resolve(project).plans["app"].identity == before


def test_a_board_leaves_its_service_out_whether_it_is_on_or_off(project: Path) -> None:
    out = {"web": False}
    assert resolve(project, services=out).placed == ()
    assert [each.path for each in resolve(project, "on", services=out).placed] == ["etc/web"]


def test_a_service_that_is_wanted_while_the_feature_is_off_is_refused(project: Path) -> None:
    with pytest.raises(QuardError) as caught:
        resolve(project, services={"web": True})
    assert caught.value.reason == "unknown-service"
    assert "app has the service 'web' only with its feature server" in caught.value.message
    assert "features.app.server = true" in caught.value.hint


def test_a_misspelled_service_of_a_feature_that_is_off_gets_a_suggestion(project: Path) -> None:
    with pytest.raises(QuardError) as caught:
        resolve(project, services={"wep": False})
    assert (caught.value.reason, caught.value.detail) == ("unknown-service", "known: web")
    assert "did you mean 'web'?" in caught.value.hint


def test_its_services_rebuild_no_package(project: Path) -> None:
    recipe(project, feature("server", on='("--server",)', off="()"))
    for name in ("web.init", "web.conf"):
        (project / "packages/app" / name).rename(project / name)
    before = resolve(project, "on").plans["app"].identity
    for name in ("web.init", "web.conf"):
        (project / name).rename(project / "packages/app" / name)
    adds = 'Adds(services=(Service("web", 50, script="web.init"),),'
    adds += ' configs=(Config("web.conf", "etc/web"),))'
    recipe(project, feature("server", on='("--server",)', off="()", adds=adds))
    found = resolve(project, "on")
    assert found.plans["app"].identity == before
    assert len(found.placed) == 2


@pytest.mark.parametrize("decided", [True, False])
def test_it_may_depend_on_what_is_available(project: Path, *, decided: bool) -> None:
    assert bool(resolve(project, "if-available", decided=decided).placed) == decided
