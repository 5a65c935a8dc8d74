"""Board + catalog + settled features -> packages with plans; what does and does not matter."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from recipe_parts import SHA, TOP, add, add_text, feature, recipe_text

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.board import Board
from quard.boards.configuration import Choice
from quard.boards.fragments import Fragments
from quard.boards.targets import target
from quard.boards.trees import Trees
from quard.hardening import Hardening
from quard.plan.plan import KconfigStep
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.plan.source import Tree
from quard.recipes.catalog import Catalog

ON = {("app", "net"): True}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project: app -> lib -> base, app's feature `net` -> mnl, and a tool beside."""
    packages = tmp_path / "packages"
    add(packages, "base")
    add(packages, "lib", needs='("base",)', exports='("base",)')
    add(packages, "mnl")
    add(
        packages,
        "app",
        needs='("lib",)',
        runtime='("tool",)',
        features=feature("net", needs='("mnl",)'),
    )
    add(packages, "tool")
    add(packages, "alone")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/one.toml").write_text(
        'summary = "One"\ntarget = "riscv64-linux-gnu"\nmachine = "virt"\npackages = ["app"]\n'
    )
    return tmp_path


def one(project: Path, **changes: Any) -> Board:
    return dataclasses.replace(board.load(Trees(project), "one"), **changes)


def resolver(project: Path, **changes: Any) -> Resolver:
    chosen = one(project, **changes)
    return Resolver(
        chosen.own, Catalog(project / "packages"), Fragments(Trees(project), chosen.configuration)
    )


def resolve(
    project: Path,
    decided: Mapping[tuple[str, str], bool] = {},
    trees: Mapping[str, Tree] = {},
    extra: tuple[str, ...] = (),
    **changes: Any,
) -> Resolved:
    return resolver(project, **changes).resolve(decided, trees, extra)


def choose(choice: Choice) -> dict[str, Any]:
    return {"features": {("app", "net"): choice}}


def identities(resolved: Resolved) -> dict[str, str]:
    return {name: plan.identity for name, plan in resolved.plans.items()}


def rebuilt(project: Path, before: Resolved, **changes: Any) -> set[str]:
    """Return the packages whose identity is another than before."""
    old, new = identities(before), identities(resolve(project, **changes))
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def test_a_board_has_what_it_names_and_all_that_this_needs(project: Path) -> None:
    found = resolve(project)
    assert found.graph.order == ("base", "lib", "app", "tool")
    assert found.image == ("base", "lib", "app", "tool")
    assert set(found.plans) == set(found.packages) == set(found.image)
    assert found.plans["app"].needs == ("base", "lib")
    assert found.plans["app"].features == (("net", False),)


def test_an_image_has_programs_of_what_its_board_lists_or_a_recipe_names_in_runtime(
    project: Path,
) -> None:
    found = resolve(project)
    assert found.whole == {"app", "tool"}
    assert found.layers == (
        ("base", "libs"),
        ("lib", "libs"),
        ("app", "libs"), ("app", "programs"),
        ("tool", "libs"), ("tool", "programs"),
    )  # fmt: skip
    found = resolve(project, packages=("app", "base"))
    assert found.whole == {"app", "base", "tool"}


def test_what_an_only_needed_package_names_in_runtime_comes_whole(project: Path) -> None:
    add(project / "packages", "lib", needs='("base",)', runtime='("alone",)')
    assert resolve(project).whole == {"alone", "app", "tool"}
    net = feature("net", on="()", off="()", runtime='("alone",)')
    add(project / "packages", "lib", needs='("base",)', features=net)
    features: dict[str, Any] = {"features": {("lib", "net"): "on"}}
    assert resolve(project, **features).whole == {"alone", "app", "tool"}
    assert resolve(project).whole == {"app", "tool"}


def test_a_package_that_is_planned_besides_brings_no_programs(project: Path) -> None:
    found = resolve(project, extra=("alone", "lib"))
    assert found.whole == {"app", "tool"}
    assert ("lib", "programs") not in found.layers


def test_accounts_come_with_programs_or_with_files_that_belong_to_them(project: Path) -> None:
    users = '(User("one", uid=7), User("two", uid=8), User("three", uid=9))'
    add(project / "packages", "lib", users=users)
    assert [user.name for _, user in resolve(project, packages=("lib",)).users] == [
        "one", "two", "three",
    ]  # fmt: skip
    assert resolve(project).users == ()
    own = """(Permission("/x", "4755", owner="one"), Permission("/y", "0640", group="two"))"""
    add(project / "packages", "app", needs='("lib",)', permissions=own)
    assert [user.name for _, user in resolve(project).users] == ["one", "two"]


def test_a_feature_brings_its_needs_and_its_arguments(project: Path) -> None:
    off, on = resolve(project, **choose("off")), resolve(project, **choose("on"))
    assert "mnl" not in off.plans
    assert "mnl" in on.image
    assert on.plans["app"].needs == ("base", "lib", "mnl")
    assert "--disable-net" in str(off.plans["app"].steps)
    assert "--enable-net" in str(on.plans["app"].steps)
    assert rebuilt(project, off, **choose("on")) == {"app", "mnl"}


def test_a_feature_that_the_board_does_not_name_has_the_recipes_default(project: Path) -> None:
    add(project / "packages", "app", features=feature("net", needs='("mnl",)', default="True"))
    assert resolve(project).plans["app"].features == (("net", True),)
    assert resolve(project, **choose("off")).plans["app"].features == (("net", False),)


@pytest.mark.parametrize("on", [True, False])
def test_an_if_available_feature_is_what_was_decided(project: Path, on: bool) -> None:
    found = resolve(project, {("app", "net"): on}, **choose("if-available"))
    assert found.plans["app"].features == (("net", on),)
    assert ("mnl" in found.plans) is on
    same = resolve(project, **choose("on" if on else "off"))
    assert identities(found) == identities(same)


def test_the_if_available_choices_are_told(project: Path) -> None:
    assert resolver(project, **choose("if-available")).choices() == {("app", "net"): "if-available"}
    assert resolver(project, **choose("on")).choices() == {}


def test_further_packages_are_planned_and_not_in_the_image(project: Path) -> None:
    found = resolve(project, extra=("alone",))
    assert "alone" in found.plans
    assert "alone" not in found.image


def test_a_typing_error_in_a_boards_package_gets_a_suggestion(project: Path) -> None:
    for key, changes in (("packages: ", {"packages": ("ap",)}), ("", {"fragments": {"ap": ()}})):
        with pytest.raises(QuardError) as caught:
            resolver(project, **changes)
        assert caught.value.message.endswith(f"{key}unknown package 'ap'")
        assert caught.value.reason == "unknown-package"
        assert caught.value.hint == "did you mean 'app'?"


def test_a_typing_error_in_a_boards_feature_gets_a_suggestion(project: Path) -> None:
    with pytest.raises(QuardError) as caught:
        resolver(project, features={("app", "nett"): "on"})
    assert caught.value.reason == "unknown-feature"
    assert caught.value.message == "configs/one.toml: features.app: unknown feature 'nett'"
    assert caught.value.hint == "did you mean 'net'?"
    with pytest.raises(QuardError) as caught:
        resolver(project, features={("base", "net"): "on"})
    assert caught.value.reason == "unknown-feature"
    assert caught.value.hint == "packages/base/recipe.py declares them"


def test_a_feature_of_a_package_that_does_not_exist_is_refused(project: Path) -> None:
    with pytest.raises(QuardError) as caught:
        resolver(project, features={("apq", "net"): "on"})
    assert (caught.value.reason, caught.value.hint) == ("unknown-package", "did you mean 'app'?")


def test_a_cycle_between_recipes_is_refused_and_named(project: Path) -> None:
    add(project / "packages", "base", needs='("app",)')
    with pytest.raises(QuardError) as caught:
        resolve(project)
    assert caught.value.reason == "dependency-cycle"
    assert caught.value.detail == "app -> lib -> base -> app"


def test_a_cycle_that_a_feature_closes_is_refused_only_with_the_feature(project: Path) -> None:
    add(project / "packages", "mnl", needs='("app",)')
    assert "mnl" not in resolve(project).plans
    with pytest.raises(QuardError) as caught:
        resolve(project, **choose("on"))
    assert caught.value.reason == "dependency-cycle"


def test_a_need_that_does_not_exist_is_refused(project: Path) -> None:
    add(project / "packages", "base", needs='("ape",)')
    with pytest.raises(QuardError) as caught:
        resolve(project)
    assert caught.value.reason == "unknown-package"


def test_findings_of_every_package_of_the_board_are_errors_and_of_others_not(
    project: Path,
) -> None:
    add(project / "packages", "alone", license='"?"')
    resolve(project)
    add(project / "packages", "tool", license='"?"')
    with pytest.raises(QuardError) as caught:
        resolve(project)
    assert caught.value.reason == "bad-license"


def test_an_unused_recipe_with_an_error_does_not_stop_a_board(project: Path) -> None:
    add_text(project / "packages", "alone", "RECIPE = \n")
    resolve(project)


SAME = {
    "summary": {"summary": '"Another thing"'},
    "licence": {"license": '"Apache-2.0"'},
    "homepage": {"homepage": '"https://example.org"'},
    "provenance": {"sources": f'[Source("https://example.org/x", "{SHA}", "them")]'},
    "address": {"sources": f'[Source("https://example.com/x", "{SHA}", "us")]'},
    "users": {"users": '(User("a", uid=7),)'},
    "permissions": {"permissions": '(Permission("/bin/x", "4755"),)'},
    "runtime": {"runtime": '("alone",)'},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_what_cannot_change_a_result_changes_no_identity(
    project: Path, changes: dict[str, str]
) -> None:
    before = resolve(project)
    add(project / "packages", "lib", needs='("base",)', exports='("base",)', **changes)
    assert rebuilt(project, before) <= {"alone"}


def test_what_dependants_see_decides_what_is_refused_and_not_what_is_made(project: Path) -> None:
    before = resolve(project)
    assert before.plans["lib"].exports == ("base",)
    assert before.plans["app"].exports == ()
    assert before.plans["lib"].as_json()["exports"] == ("base",)
    add(project / "packages", "lib", needs='("base",)')
    assert resolve(project).plans["lib"].exports == ()
    assert "lib" not in rebuilt(project, before)


OTHER = {
    "version": {"version": '"1.1"'},
    # The record has their hashes, so a result without one of them is not the same.
    "licence files": {"license_files": '("LICENSE",)'},
    "option": {"configure": '("--with-x",)'},
    "environment": {"env": '(("A", "1"),)'},
    "tools": {"tools": '("bison",)'},
    "drop": {"drop": '("usr/share",)'},
    "parts": {"parts": '(Part("libs", ("etc/x",)),)'},
    "step": {"finish": '(Symlink("a", "b"),)'},
}


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER)
def test_what_can_change_a_result_changes_the_identity_of_that_package_alone(
    project: Path, changes: dict[str, str]
) -> None:
    before = resolve(project)
    add(project / "packages", "lib", needs='("base",)', exports='("base",)', **changes)
    assert rebuilt(project, before) == {"lib"}


@pytest.mark.parametrize(
    ("source", "archives"),
    [
        (f'Source("https://x/y", "{SHA[::-1]}", "us")', (SHA[::-1],)),
        (
            f'Source("https://x/y", "{SHA}", "us",'
            f' alternates=(Alternate("https://x/z", "{SHA[::-1]}", "less"),))',
            (SHA, SHA[::-1]),
        ),
    ],
    ids=["another", "one more"],
)
def test_accepted_archives_are_no_identity_they_are_held_against_the_result_s(
    project: Path, source: str, archives: tuple[str, ...]
) -> None:
    before = resolve(project)
    add(project / "packages", "lib", needs='("base",)', exports='("base",)', sources=f"[{source}]")
    assert rebuilt(project, before) == set()
    assert resolve(project).plans["lib"].archives == archives


def test_an_export_is_an_input_of_the_dependants(project: Path) -> None:
    before = resolve(project)
    add(project / "packages", "lib", needs='("base",)')
    after = resolve(project)
    assert rebuilt(project, before) == {"app"}
    assert (after.plans["app"].needs, after.plans["app"].links) == (("lib",), ("base",))


def test_files_beside_the_recipe_are_inputs_by_content(project: Path) -> None:
    folder = project / "packages/lib"
    before = resolve(project)
    (folder / "1.patch").write_text("a")
    with_patch = resolve(project)
    assert rebuilt(project, before) == {"lib"}
    assert [patch.name for patch in with_patch.plans["lib"].patches] == ["1.patch"]
    (folder / "1.patch").write_text("b")
    assert rebuilt(project, with_patch) == {"lib"}
    (folder / "1.patch").unlink()
    assert rebuilt(project, before) == set()
    (folder / "extra.h").write_text("x")
    assert rebuilt(project, before) == {"lib"}


def test_the_boards_flags_are_an_input_of_every_package(project: Path) -> None:
    before = resolve(project)
    assert rebuilt(project, before, cflags="-Os") == set(before.plans)


def test_the_boards_hardening_is_an_input_of_what_is_not_freestanding(project: Path) -> None:
    add(project / "packages", "alone", freestanding='"firmware"')
    before = resolve(project, extra=("alone",))
    changed = rebuilt(project, before, extra=("alone",), hardening=Hardening(pie=False))
    assert changed == {*before.plans} - {"alone"}


@pytest.mark.parametrize(
    "changes",
    [
        {"hardening": Hardening(no_rpath=False, no_textrel=False)},
        {"hostname": "other"},
        {"summary": "other"},
        {"formats": ("ext4",)},
        {"size_mib": 7},
        {"overlays": ()},
        {"machine": "other"},
        {"name": "other"},
    ],
)
def test_the_rest_of_a_board_is_an_input_of_none(project: Path, changes: dict[str, Any]) -> None:
    assert rebuilt(project, resolve(project), **changes) == set()


def test_identities_do_not_depend_on_where_the_project_lies(project: Path, tmp_path: Path) -> None:
    (project / "packages/lib/1.patch").write_text("a")
    other = tmp_path / "somewhere else"
    shutil.copytree(project / "packages", other / "packages")
    shutil.copytree(project / "configs", other / "configs")
    assert identities(resolve(project)) == identities(resolve(other))


def test_a_local_tree_takes_the_place_of_archive_and_patches(project: Path) -> None:
    (project / "packages/lib/1.patch").write_text("a")
    tree = Tree("d" * 64, configured=True)
    plan = resolve(project, trees={"lib": tree}).plans["lib"]
    assert (plan.tree, plan.sources, plan.patches) == ("d" * 64, (), ())
    assert str(project) not in str(plan)


def test_a_checkout_without_a_configure_script_gets_one_made(project: Path) -> None:
    def steps(configured: bool) -> tuple[object, ...]:
        tree = Tree("d" * 64, configured)
        return resolve(project, trees={"lib": tree}).plans["lib"].steps

    assert "autoreconf" in str(steps(False)[0])
    assert steps(False)[1:] == steps(True)


def test_the_boards_fragments_are_inputs_under_their_own_names(project: Path) -> None:
    add_text(
        project / "packages",
        "alone",
        recipe_text("Kconfig", fragments='("own.fragment",)'),
    )
    (project / "packages/alone/own.fragment").write_text("CONFIG_A=y\n")
    fragment = project / "configs/more.fragment"
    fragment.write_text("CONFIG_B=y\n")
    changes: dict[str, Any] = {
        "fragments": {"alone": ("configs/more.fragment",)},
        "packages": ("alone",),
    }
    before = resolve(project, **changes)
    plan = before.plans["alone"]
    assert [file.name for file in plan.files] == ["own.fragment", "board-0-more.fragment"]
    fragment.write_text("CONFIG_B=n\n")
    assert rebuilt(project, before, **changes) == {"alone"}


def test_a_fragment_that_is_not_there_is_an_error_of_the_board(project: Path) -> None:
    add_text(project / "packages", "kc", recipe_text("Kconfig"))
    with pytest.raises(QuardError) as caught:
        resolve(project, fragments={"kc": ("configs/no.fragment",)}, packages=("kc",))
    assert caught.value.reason == "bad-board"
    assert caught.value.message == (
        "configs/one.toml: fragments.kc: configs/no.fragment cannot be read"
    )
    assert caught.value.hint.endswith("remove it from the board's file")


def test_a_missing_fragment_of_a_root_is_reported_where_it_is_listed(project: Path) -> None:
    add_text(project / "packages", "kc", recipe_text("Kconfig"))
    with (project / "configs/one.toml").open("a") as file:
        file.write('fragments.kc = ["no"]\n[roots.early]\npackages = ["kc"]\n')
    early = one(project).roots[0]
    above = Fragments(Trees(project), one(project).configuration)
    for listed, place in (((), "fragments.kc"), (("gone",), "roots.early.fragments.kc")):
        fragments = {"kc": listed} if listed else {}
        configuration = dataclasses.replace(early.configuration, fragments=fragments)
        with pytest.raises(QuardError) as caught:
            Fragments(Trees(project), configuration, above).references("kc")
        assert caught.value.message.startswith(f"configs/one.toml: {place}: ")


def test_fragments_of_a_package_that_does_not_exist_are_reported_where_they_are(
    project: Path,
) -> None:
    with pytest.raises(QuardError) as caught:
        resolver(project, fragments={"alne": ("configs/any.fragment",)})
    assert caught.value.message == "configs/one.toml: fragments.alne: unknown package 'alne'"
    kept(project, "alne").touch()
    with pytest.raises(QuardError) as caught:
        resolver(project)
    assert caught.value.message == "configs/one/alne.fragment: unknown package 'alne'"


def kept(project: Path, package: str) -> Path:
    """Return the board's kept fragment of a package, in a folder that is there."""
    path = project / Fragments(Trees(project), one(project).configuration).edited(package)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_the_kept_fragment_is_laid_over_last_and_counts_as_soon_as_it_is_there(
    project: Path,
) -> None:
    add_text(project / "packages", "kc", recipe_text("Kconfig", fragments='("own.fragment",)'))
    for name in ("packages/kc/own.fragment", "configs/more.fragment"):
        (project / name).write_text("CONFIG_A=y\n")
    changes: dict[str, Any] = {
        "fragments": {"kc": ("configs/more.fragment",)},
        "packages": ("app", "kc"),
    }
    before = resolve(project, **changes)
    kept(project, "kc").write_text("CONFIG_A=n\n")
    assert rebuilt(project, before, **changes) == {"kc"}
    step = resolve(project, **changes).plans["kc"].steps[0]
    assert isinstance(step, KconfigStep)
    assert step.fragments == ("own.fragment", "board-0-more.fragment", "board-kc.fragment")
    assert (
        Fragments(Trees(project), one(project).configuration).edited_name("kc")
        == "board-kc.fragment"
    )
    kept(project, "kc").unlink()
    assert rebuilt(project, before, **changes) == set()


def test_a_kept_fragment_that_leads_nowhere_is_an_error_of_the_board(project: Path) -> None:
    add_text(project / "packages", "kc", recipe_text("Kconfig"))
    kept(project, "kc").symlink_to("nowhere")
    with pytest.raises(QuardError) as caught:
        resolve(project, packages=("kc",))
    assert caught.value.reason == "bad-board"
    assert caught.value.message == "configs/one/kc.fragment cannot be read"
    assert caught.value.hint.endswith("remove it")


def test_a_fragment_for_a_package_without_kconfig_is_an_error_of_the_board(project: Path) -> None:
    with pytest.raises(QuardError) as caught:
        resolver(project, fragments={"lib": ("configs/any.fragment",)})
    assert caught.value.reason == "bad-board"
    assert caught.value.message == (
        "configs/one.toml has a configuration fragment for lib, which Kconfig does not configure"
    )
    kept(project, "lib").touch()
    with pytest.raises(QuardError) as caught:
        resolver(project)
    assert caught.value.reason == "bad-board"
    assert caught.value.message.startswith("configs/one/lib.fragment has ")


@pytest.mark.parametrize("name", board.names(Trees(TOP)))
@pytest.mark.parametrize("on", [True, False])
def test_every_board_of_the_project_resolves(name: str, on: bool) -> None:
    chosen = board.load(Trees(TOP), name)
    found = Resolver(
        chosen.own, Catalog(TOP / "packages"), Fragments(Trees(TOP), chosen.configuration)
    )
    resolved = found.resolve(dict.fromkeys(found.choices(), on), {})
    assert set(chosen.packages) <= set(resolved.image)
    assert str(TOP) not in str([plan.as_json() for plan in resolved.plans.values()])


def test_the_default_board_resolves_alike_twice() -> None:
    def once() -> dict[str, str]:
        chosen = board.load(Trees(TOP), "quard-star")
        found = Resolver(
            chosen.own, Catalog(TOP / "packages"), Fragments(Trees(TOP), chosen.configuration)
        )
        return identities(found.resolve(dict.fromkeys(found.choices(), True), {}))

    assert once() == once()


MUSL = "riscv64-linux-musl"


@pytest.fixture
def musl(project: Path) -> Path:
    """The small project with musl, whose package exports the kernel's headers, and firmware."""
    packages = project / "packages"
    taken = {"headers": '("linux",)', "sources": None, "license_files": None}
    add(packages, "headers", "ToolchainRuntime", **taken)
    exported = {"needs": '("headers",)', "exports": '("headers",)'}
    add(packages, "musl", c_library='"musl"', **exported)
    add(packages, "firmware", freestanding='"no C library"')
    return project


def test_what_is_compiled_for_musl_sees_musl_without_naming_it(musl: Path) -> None:
    found = resolve(musl, ON, extra=("firmware",), target=target(MUSL))
    assert found.plans["app"].needs == ("base", "headers", "lib", "musl")
    assert found.plans["base"].needs == ("headers", "musl")
    assert found.plans["firmware"].needs == found.plans["headers"].needs == ()
    assert found.plans["musl"].needs == ("headers",)


def test_an_image_has_musl_only_if_it_is_listed(musl: Path) -> None:
    without = resolve(musl, ON, target=target(MUSL))
    assert {part for name, part in without.left_out if name == "musl"} == {"libs", "programs"}
    listed = resolve(musl, ON, target=target(MUSL), packages=("app", "musl"))
    assert {part for name, part in listed.layers if name == "musl"} == {"libs", "programs"}


def test_what_needs_no_c_library_has_the_same_plan_with_each(musl: Path) -> None:
    with_musl = resolve(musl, ON, extra=("firmware",), target=target(MUSL))
    add(musl / "packages", "musl")
    with_glibc = resolve(musl, ON, extra=("firmware",))
    assert with_musl.plans["firmware"] == with_glibc.plans["firmware"]
    assert with_musl.plans["app"].triple == MUSL
    assert with_musl.plans["app"].identity != with_glibc.plans["app"].identity


def test_plans_for_musl_have_the_hardening_that_it_supports(musl: Path) -> None:
    found = resolve(musl, ON, target=target(MUSL))
    words = set(resolve(musl, ON).plans["app"].hardening)
    assert words - set(found.plans["app"].hardening) == {"fortify=3"}


@pytest.mark.parametrize(("triple", "other"), [(MUSL, "glibc"), ("riscv64-linux-gnu", "musl")])
def test_packages_for_another_c_library_are_named_together(
    musl: Path, triple: str, other: str
) -> None:
    for name in ("base", "tool"):
        add(musl / "packages", name, c_library=f'"{other}"')
    with pytest.raises(QuardError) as caught:
        resolve(musl, ON, target=target(triple))
    assert caught.value.reason == "wrong-c-library"
    assert caught.value.detail == f"base is for {other}\ntool is for {other}"


def test_a_target_without_the_package_of_its_c_library_is_refused(project: Path) -> None:
    with pytest.raises(QuardError) as caught:
        resolve(project, ON, target=target(MUSL))
    assert caught.value.reason == "unknown-package"
    assert "musl" in caught.value.message


def servers(project: Path, **more: str) -> None:
    """Write two packages, each of which is the web server of a system."""
    server = {"provides": '["web-server"]', "conflicts": '["web-server"]'}
    add(project / "packages", "nginx", **server)
    add(project / "packages", "httpd", **{**server, **more})


def test_packages_with_one_role_that_they_conflict_with_exclude_each_other(project: Path) -> None:
    servers(project)
    resolve(project, packages=("nginx",))
    with pytest.raises(QuardError) as caught:
        resolve(project, packages=("httpd", "nginx"))
    assert caught.value.reason == "packages-conflict"
    assert caught.value.detail == "httpd and nginx: each is the web-server of a system"
    assert "configs/one.toml" in caught.value.hint


def test_a_role_alone_excludes_nothing(project: Path) -> None:
    for name in ("one", "two"):
        add(project / "packages", name, provides='["pager"]')
    assert resolve(project, packages=("one", "two")).image == ("one", "two")


def test_a_conflict_with_a_package_that_nobody_listed_names_who_needs_it(project: Path) -> None:
    add(project / "packages", "new", conflicts='["base"]')
    with pytest.raises(QuardError) as caught:
        resolve(project, packages=("app", "new"))
    assert caught.value.detail == ("base and new: the recipe of new says so\nbase is needed by app")


def test_packages_that_exclude_each_other_can_both_be_built(project: Path) -> None:
    servers(project)
    found = resolve(project, extra=("httpd",), packages=("nginx",))
    assert found.image == ("nginx",)
    assert "httpd" in found.plans


def test_what_a_package_says_about_others_is_no_part_of_its_plan(project: Path) -> None:
    before = resolve(project)
    add(project / "packages", "alone", yields_to='["*"]', provides='["x"]', conflicts='["x"]')
    add(project / "packages", "tool", yields_to='["app"]', provides='["x"]', conflicts='["alone"]')
    assert rebuilt(project, before) == set()
    assert resolve(project).yields == (("tool", ("app",)),)


def modular(project: Path, **kernel: str) -> None:
    """Write a kernel, and a module for whichever kernel there is."""
    add(project / "packages", "own", "Kconfig", provides='["kernel"]', **kernel)
    add(project / "packages", "module", "KernelModule", kernel='["DM"]', needs='("lib",)')


def test_a_module_needs_the_kernel_of_its_board_and_modules_in_that(project: Path) -> None:
    modular(project)
    found = resolver(project, packages=("module", "own"))
    assert found.graph({}).edges["module"].needs == ("lib", "own")
    resolved = found.resolve({}, {})
    assert resolved.plans["module"].needs == ("base", "lib", "own")
    (step,) = (s for s in resolved.plans["own"].steps if isinstance(s, KconfigStep))
    assert step.relied == ("DM", "MODULES=y")


def test_the_kernel_of_a_module_may_be_there_because_another_package_runs_on_it(
    project: Path,
) -> None:
    modular(project)
    add(project / "packages", "tool", runtime='("own",)')
    found = resolver(project, packages=("app", "module"))
    assert found.graph(ON).edges["module"].needs == ("lib", "own")


def test_a_module_without_a_kernel_is_refused(project: Path) -> None:
    modular(project)
    with pytest.raises(QuardError, match="module is a module of the kernel") as caught:
        resolve(project, packages=("module",))
    assert caught.value.reason == "no-kernel"
    assert "configs/one.toml" in caught.value.hint


def test_a_kernel_that_must_not_have_modules_contradicts_a_module(project: Path) -> None:
    modular(project)
    (project / "configs/one").mkdir()
    (project / "configs/one/own.fragment").write_text("# CONFIG_MODULES is not set\n")
    with pytest.raises(QuardError) as caught:
        resolve(project, packages=("module", "own"))
    assert caught.value.reason == "kernel-option-conflict"
    assert "CONFIG_MODULES=y: module" in caught.value.detail


def test_a_module_is_in_no_plan_of_the_kernel_that_has_what_it_relies_on(project: Path) -> None:
    modular(project)
    (project / "configs/one").mkdir()
    (project / "configs/one/own.fragment").write_text("CONFIG_MODULES=y\nCONFIG_DM=m\n")
    before = resolve(project, packages=("own",))
    after = resolve(project, packages=("module", "own"))
    assert before.plans["own"] == after.plans["own"]


def test_what_a_style_needs_is_added_to_the_recipes_own(project: Path) -> None:
    packages = project / "packages"
    add(packages, "python3")
    add(packages, "wheel-tools", runtime='("python3",)')
    add(packages, "backend", style="Python")
    add(packages, "module", style="Python", natives='("backend",)', runtime='("tool",)')
    found = resolver(project, packages=("module",))
    edges = found.graph({}).edges["module"]
    assert edges.natives == ("backend", "wheel-tools")
    assert edges.runtime == ("python3", "tool")
    assert found.natives({}) == {"backend", "wheel-tools"}


@pytest.fixture
def linux(project: Path) -> Path:
    """A kernel, and packages that rely on its options."""
    folder = add(
        project / "packages",
        "linux",
        "Kconfig",
        provides='["kernel"]',
        fragments='["own.fragment"]',
        features='(Feature("quiet", "q", on=("# CONFIG_PRINTK is not set",), off=()),)',
    )
    (folder / "own.fragment").write_text("CONFIG_INET=m\n# CONFIG_FUSE is not set\n")
    add(project / "packages", "ssh", kernel='["SECCOMP"]')
    add(project / "packages", "net", kernel='["INET"]')
    add(project / "packages", "fs", features=feature("fuse", kernel='["FUSE=y"]'))
    return project


def relied_on(resolved: Resolved) -> tuple[str, ...]:
    return next(s for s in resolved.plans["linux"].steps if isinstance(s, KconfigStep)).relied


def test_options_of_packages_on_the_board_are_added_to_the_kernels_configuration(
    linux: Path,
) -> None:
    assert relied_on(resolve(linux, packages=("linux", "ssh"))) == ("SECCOMP",)
    on: dict[str, Any] = {"features": {("fs", "fuse"): "on"}}
    assert relied_on(resolve(linux, packages=("fs", "linux"))) == ()
    assert relied_on(resolve(linux, packages=("fs", "linux"), **on)) == ("FUSE=y",)


def test_an_option_that_is_met_already_changes_no_plan(linux: Path) -> None:
    before = resolve(linux, packages=("linux",))
    found = resolve(linux, packages=("linux", "net"))
    assert found.plans["linux"].identity == before.plans["linux"].identity
    assert "relied" not in str(before.plans["linux"].as_json())
    assert found.options == (("net", "INET"),)


def test_a_package_that_is_only_built_adds_no_option(linux: Path) -> None:
    assert relied_on(resolve(linux, extra=("ssh",), packages=("linux",))) == ()


def test_who_relies_on_an_option_is_no_part_of_the_kernels_plan(linux: Path) -> None:
    add(linux / "packages", "other", kernel='["SECCOMP"]')
    one = resolve(linux, packages=("linux", "ssh"))
    two = resolve(linux, packages=("linux", "other"))
    assert one.plans["linux"].identity == two.plans["linux"].identity


def test_a_board_without_a_kernel_has_no_place_for_options(linux: Path) -> None:
    assert resolve(linux, packages=("ssh",)).image == ("ssh",)


def test_a_fragment_or_feature_of_the_board_that_has_an_option_off_is_refused(
    linux: Path,
) -> None:
    (linux / "configs/lean.fragment").write_text("CONFIG_A=y\n# CONFIG_SECCOMP is not set\n")
    fragments = {"linux": ("configs/lean.fragment",)}
    with pytest.raises(QuardError) as caught:
        resolve(linux, packages=("linux", "ssh"), fragments=fragments)
    assert caught.value.reason == "kernel-option-conflict"
    assert "ssh; configs/lean.fragment: CONFIG_SECCOMP=n" in caught.value.detail
    add(linux / "packages", "log", kernel='["PRINTK"]')
    with pytest.raises(QuardError) as caught:
        on: dict[str, Any] = {"features": {("linux", "quiet"): "on"}}
        resolve(linux, packages=("linux", "log"), **on)
    assert "log; the board's features: CONFIG_PRINTK=n" in caught.value.detail
