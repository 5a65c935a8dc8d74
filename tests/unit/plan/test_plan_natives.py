"""quard.plan.natives: recipes for the build machine, and what builds see of their packages."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from plan_parts import COMMON, FAST, SMALL

from quard.base.errors import QuardError
from quard.model import (
    Autotools,
    Feature,
    ForBuild,
    Kconfig,
    KernelModule,
    Part,
    Permission,
    Recipe,
    Run,
    ToolchainRuntime,
    User,
)
from quard.plan.natives import Natives, for_build
from quard.recipes.catalog import Package
from quard.recipes.graph import Edges, build


def package(recipe: Recipe, name: str = "thing") -> Package:
    return Package(name, recipe, Path("packages") / name, "", ())


def native(recipe: Recipe) -> Any:
    return for_build(package(recipe)).recipe


def test_a_recipe_that_says_nothing_is_built_alike() -> None:
    recipe = Autotools(**COMMON, configure=("--x",), needs=("zlib",))
    assert native(recipe) == recipe


def test_what_for_build_gives_replaces_the_recipe_s_field() -> None:
    given = ForBuild(configure=("--y",), needs=(), finish=(Run("true"),))
    recipe = Autotools(**COMMON, configure=("--x",), needs=("zlib",), make=("all",))
    found = native(Autotools(**vars(recipe) | {"for_build": given}))
    assert (found.configure, found.needs, found.finish) == (("--y",), (), (Run("true"),))
    assert found.make == ("all",)


def test_accounts_and_modes_are_for_the_target() -> None:
    recipe = Autotools(
        **COMMON, users=(User("x", uid=5),), permissions=(Permission("/x", mode="0600"),)
    )
    assert native(recipe).users == native(recipe).permissions == ()


def test_features_have_the_recipe_s_defaults_or_those_that_are_named() -> None:
    on = Feature("on", "x", on=("--on",), off=(), default=True)
    features = (FAST, SMALL, on)
    plain = native(Autotools(**COMMON, features=features))
    assert [f.name for f in plain.features if f.default] == ["on"]
    chosen = native(Autotools(**COMMON, features=features, for_build=ForBuild(features=("fast",))))
    assert [f.name for f in chosen.features if f.default] == ["fast"]


def test_a_package_does_not_call_itself_when_it_is_built_for_the_build_machine() -> None:
    calls = Feature("calls", "x", on=(), off=(), natives=("thing", "tool"), default=True)
    found = native(Autotools(**COMMON, natives=("thing", "other"), features=(calls,)))
    assert found.natives == ("other",)
    assert found.features[0].natives == ("tool",)


@pytest.mark.parametrize(
    "recipe",
    [
        Kconfig(**COMMON),
        ToolchainRuntime(**COMMON, libraries=("libc.so.6",)),
        Autotools(**COMMON, freestanding="firmware"),
    ],
)
def test_kernels_firmware_and_toolchains_cannot_be_built_for_it(recipe: Recipe) -> None:
    with pytest.raises(QuardError, match="thing cannot be built for the build machine") as caught:
        native(recipe)
    assert caught.value.reason == "no-native"


def test_modules_of_a_kernel_are_needed_on_the_target_if_at_all() -> None:
    with pytest.raises(QuardError, match="thing cannot be built for the build machine") as caught:
        native(KernelModule(**COMMON))
    assert caught.value.reason == "no-native"
    assert "modules of the kernel" in caught.value.detail
    assert "`runtime`" in caught.value.hint


EDGES = {
    "tool": Edges(needs=("lib",), runtime=("helper",)),
    "lib": Edges(needs=("base", "inner"), exports=("base",)),
    "base": Edges(),
    "inner": Edges(),
    "helper": Edges(needs=("tool",)),
}


@pytest.fixture
def natives() -> Natives:
    recipes: dict[str, Recipe] = {name: Autotools(**COMMON) for name in EDGES}
    recipes["base"] = Autotools(**COMMON, parts=(Part("extra", ("usr/lib/extra",)),))
    return Natives(build(("tool",), EDGES.__getitem__), recipes)


def test_a_build_sees_all_parts_of_what_its_natives_need_to_run(natives: Natives) -> None:
    assert natives.seen(("tool",)) == (
        "base:extra", "base:libs", "base:programs", "helper:libs", "helper:programs", "inner:libs",
        "inner:programs", "lib:libs", "lib:programs", "tool:dev", "tool:libs",
        "tool:programs",
    )  # fmt: skip


def test_a_build_sees_headers_of_what_it_names_and_of_what_that_exports(natives: Natives) -> None:
    seen = natives.seen(("lib",))
    assert {"lib:dev", "base:dev"} <= {*seen}
    assert "inner:dev" not in seen and "inner:libs" in seen


def test_a_build_without_natives_sees_nothing(natives: Natives) -> None:
    assert natives.seen(()) == ()


def test_a_native_package_sees_only_what_is_built_before_it(natives: Natives) -> None:
    """tool runs helper, whose build needs tool: a program can be built before all that it uses."""
    assert natives.seen_by("tool") == natives.seen(("lib",))
    assert not any(each.startswith("helper:") for each in natives.seen_by("helper"))
    assert "tool:programs" in natives.seen_by("helper")


def seeing(edges: dict[str, Edges], *roots: str) -> dict[str, set[str]]:
    """Return the packages that the build of each package sees, on a board with these."""
    graph = build(roots, edges.__getitem__)
    found = Natives(graph, {name: Autotools(**COMMON) for name in edges})
    return {name: {each.partition(":")[0] for each in found.seen_by(name)} for name in graph.order}


def test_what_a_needed_program_calls_is_seen_whatever_else_a_board_has() -> None:
    edges = {
        "aid": Edges(),
        "beta": Edges(runtime=("aid",)),
        "omega": Edges(needs=("beta",)),
        "second": Edges(needs=("aid",)),
    }
    assert seeing(edges, "omega")["omega"] == {"aid", "beta"}
    assert seeing(edges, "second", "omega")["omega"] == {"aid", "beta"}


@pytest.mark.parametrize("seed", range(20))
def test_what_a_build_sees_depends_on_nothing_else_and_can_be_built_before_it(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"p{number}" for number in range(9)]
    edges = {
        name: Edges(
            needs=tuple(sorted(chance.sample(names[:at], min(at, chance.randrange(3))))),
            runtime=tuple(sorted(chance.sample(names, chance.randrange(3)))),
        )
        for at, name in enumerate(names)
    }
    everything = seeing(edges, *names)
    for name in names:
        alone = seeing(edges, name)
        assert alone == {each: everything[each] for each in alone}
    for name, seen in everything.items():  # what is seen by more of them comes first
        assert name not in seen
        assert all(everything[each] < seen for each in seen)
    assert all({*edges[name].needs} <= everything[name] for name in names)
