"""Needs that name a role: the package that a root lists takes its place."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from recipe_parts import add, feature

from quard.base.errors import QuardError
from quard.boards import board, native
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.recipes.catalog import Catalog


@pytest.fixture
def project(tmp_path: Path) -> Path:
    packages = tmp_path / "packages"
    for name in ("fast-tls", "small-tls"):
        add(packages, name, provides='["tls", "other"]')
    add(packages, "base")
    add(packages, "app", needs='["base", "tls"]')
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/one.toml").write_text(
        'summary = "One"\ntarget = "riscv64-linux-gnu"\nmachine = "virt"\npackages = ["app"]\n'
    )
    return tmp_path


def resolve(project: Path, *packages: str, extra: tuple[str, ...] = (), **more: Any) -> Resolved:
    own = dataclasses.replace(board.load(Trees(project), "one").own, packages=packages, **more)
    catalog = Catalog(project / "packages", project / "memory")
    fragments = Fragments(Trees(project), own.configuration)
    found = Resolver(own, catalog, fragments).resolve({}, {}, extra)
    catalog.remember()
    return found


def refused(project: Path, *packages: str, **more: Any) -> QuardError:
    with pytest.raises(QuardError) as caught:
        resolve(project, *packages, **more)
    return caught.value


@pytest.mark.parametrize("name", ["fast-tls", "small-tls"])
def test_the_build_sees_the_package_that_the_board_lists(project: Path, name: str) -> None:
    found = resolve(project, "app", name)
    assert found.plans["app"].needs == ("base", name)
    assert found.image == (*sorted(("base", name)), "app")
    assert found == resolve(project, "app", name), "also from the memory"


def test_another_package_with_the_role_changes_the_plan(project: Path) -> None:
    plans = {resolve(project, "app", n).plans["app"].identity for n in ("fast-tls", "small-tls")}
    assert len(plans) == 2
    add(project / "packages", "app", needs='["base", "fast-tls"]')
    assert resolve(project, "app", "fast-tls").plans["app"].identity in plans


def test_a_list_without_the_role_is_an_error_that_names_all_who_have_it(project: Path) -> None:
    error = refused(project, "app", "base")
    assert error.reason == "unsettled-role"
    assert error.message == (
        "app needs the role tls, which no package in the list of the board one has"
    )
    assert error.detail == "packages with this role: fast-tls, small-tls"
    assert error.hint == "add one of them to `packages` in configs/one.toml"


def test_what_is_only_needed_or_only_asked_for_does_not_count(project: Path) -> None:
    add(project / "packages", "user", needs='["fast-tls"]')
    assert refused(project, "app", "user").reason == "unsettled-role"
    assert refused(project, "app", extra=("fast-tls",)).reason == "unsettled-role"


def test_a_build_needs_one_package_with_the_role(project: Path) -> None:
    error = refused(project, "small-tls", "app", "fast-tls")
    assert error.reason == "unsettled-role"
    assert error.message == (
        "app needs one package with the role tls to build, and the board one lists 2"
    )
    assert error.detail == "fast-tls, small-tls"


def test_all_packages_of_the_list_with_the_role_are_needed_on_the_target(project: Path) -> None:
    add(project / "packages", "app", runtime='["tls"]')
    both = resolve(project, "app", "fast-tls", "small-tls")
    assert both.graph.edges["app"].runtime == ("fast-tls", "small-tls")
    assert ("fast-tls", "programs") in both.layers
    assert refused(project, "app").reason == "unsettled-role"


def test_a_part_of_the_package_may_be_named(project: Path) -> None:
    part = '[Part("libtls", ["usr/lib/libtls.so*"])]'
    add(project / "packages", "fast-tls", provides='["tls"]', parts=part)
    add(project / "packages", "app", needs='["tls:libtls"]')
    found = resolve(project, "app", "fast-tls")
    assert found.graph.edges["app"].brought == (("fast-tls", "libtls"),)
    assert refused(project, "app", "small-tls").reason == "unknown-part"


def test_exports_may_name_the_role(project: Path) -> None:
    add(project / "packages", "app", needs='["tls"]', exports='["tls"]')
    add(project / "packages", "top", needs='["app"]')
    assert resolve(project, "top", "fast-tls").plans["top"].needs == ("app", "fast-tls")


def test_an_exported_role_does_not_count_while_the_feature_that_needs_it_is_off(
    project: Path,
) -> None:
    features = feature("net", needs='("net-tls",)')
    add(project / "packages", "small-tls", provides='["net-tls"]')
    add(project / "packages", "app", needs='["tls"]', exports='["net-tls"]', features=features)
    assert resolve(project, "app", "fast-tls").graph.edges["app"].exports == ()


def test_a_feature_may_need_a_role_that_counts_while_it_is_on(project: Path) -> None:
    add(project / "packages", "app", features=feature("net", needs='("tls",)'))
    assert resolve(project, "app").image == ("app",)
    own = board.load(Trees(project), "one").own.configuration
    on = dataclasses.replace(own, features={("app", "net"): "on"})
    assert refused(project, "app", configuration=on).reason == "unsettled-role"
    assert resolve(project, "app", "fast-tls", configuration=on).plans["app"].needs == ("fast-tls",)


def test_who_has_the_role_needs_no_other_package_for_it(project: Path) -> None:
    add(project / "packages", "fast-tls", provides='["tls"]', runtime='["tls"]')
    assert resolve(project, "fast-tls").image == ("fast-tls",)


def test_the_name_of_a_package_means_the_package(project: Path) -> None:
    add(project / "packages", "tls")
    assert resolve(project, "app", "fast-tls").plans["app"].needs == ("base", "tls")


def test_a_name_that_is_neither_is_an_error_of_the_recipe(project: Path) -> None:
    add(project / "packages", "app", needs='["tsl"]')
    error = refused(project, "app", "fast-tls")
    assert error.reason == "unknown-package"
    assert "no package 'tsl'" in error.detail


def test_a_role_that_nobody_has_any_more_is_an_error_in_spite_of_the_memory(project: Path) -> None:
    resolve(project, "app", "fast-tls")
    for name in ("fast-tls", "small-tls"):
        add(project / "packages", name)
    assert "no package 'tls'" in refused(project, "app", "fast-tls").detail


def test_what_builds_call_is_named_itself(project: Path) -> None:
    add(project / "packages", "app", natives='["tls"]')
    error = refused(project, "app", "fast-tls")
    assert (error.reason, "no package 'tls'" in error.detail) == ("unknown-package", True)
    own = board.load(Trees(project), "one").own
    add(project / "packages", "app", needs='["tls"]')
    native_one = dataclasses.replace(own.configuration, **vars(native.configuration("x86_64")))
    error = refused(project, "app", configuration=native_one)
    assert "ForBuild" in error.hint
