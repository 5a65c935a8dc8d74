"""quard.tools.choice: which packages a build sees, from the project's own lock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards.targets import tools
from quard.boards.trees import Trees
from quard.execute.sysroot import COMMON_TOOLS
from quard.plan.autotools import GENERATORS
from quard.recipes.catalog import Catalog
from quard.tools import lockfile
from quard.tools.choice import for_build, links, owner
from quard.tools.lock import Lock, LockedPackage
from quard.tools.names import Names, load

PROJECT = Path(__file__).resolve().parents[3]
MACHINES = sorted(lockfile.MACHINES.values())
RISCV = "riscv64-linux-gnu"
TARGETS = tools(Trees(PROJECT), "")
MOST = 200_000_000
"""Bytes that are fetched for one target at most."""


@pytest.fixture(scope="module")
def names() -> Names:
    return load(PROJECT, TARGETS)


@pytest.fixture(params=MACHINES)
def lock(request: pytest.FixtureRequest, names: Names) -> Lock:
    return lockfile.load(PROJECT, names, request.param)


def found(packages: tuple[LockedPackage, ...]) -> set[str]:
    return {package.name for package in packages}


def test_a_build_sees_every_common_command(names: Names, lock: Lock) -> None:
    seen = found(for_build(names, lock, RISCV, ()))
    owners = {command: owner(names, lock, command) for command in (*COMMON_TOOLS, "cc")}
    assert {command: name for command, name in owners.items() if name not in seen} == {}


@pytest.mark.parametrize("triple", TARGETS)
def test_a_build_sees_the_compiler_of_its_target_alone(
    names: Names, lock: Lock, triple: str
) -> None:
    seen = found(for_build(names, lock, triple, ()))
    assert owner(names, lock, f"{triple}-gcc") in seen
    assert owner(names, lock, f"{triple}-g++") in seen
    others = {name for other in names.targets if other != triple for name in names.targets[other]}
    # The compiler of the build machine's own kind is also that of what runs during a build.
    own = found(lock.closure(names.common))
    assert not others & (seen - own - {*names.targets[triple]})


def test_every_tool_that_a_recipe_names_has_an_owner(names: Names, lock: Lock) -> None:
    catalog = Catalog(PROJECT / "packages")
    named = {tool for name in catalog.names() for tool in catalog[name].recipe.tools}
    assert {"bc", "python3"} <= named
    assert {tool for tool in named if owner(names, lock, tool) is None} == set()


def test_python_comes_whole_and_with_the_modules_that_builds_import(
    names: Names, lock: Lock
) -> None:
    assert "python3.13-minimal" not in found(for_build(names, lock, RISCV, ()))
    for command in ("python3", "meson"):
        seen = found(for_build(names, lock, RISCV, (command,)))
        assert {"python3", "libpython3-stdlib", "python3-jinja2", "flit"} <= seen


def test_a_link_is_owned_by_the_package_it_leads_to(names: Names, lock: Lock) -> None:
    assert owner(names, lock, "awk") == "gawk"
    assert owner(names, lock, "automake") == "automake"
    assert owner(names, lock, "which") == "debianutils"


def test_a_command_that_no_package_has_is_an_error(names: Names, lock: Lock) -> None:
    with pytest.raises(QuardError, match="no pinned package has the command mesonn") as caught:
        for_build(names, lock, RISCV, ("mesonn",))
    assert caught.value.reason == "tool-missing"
    assert "meson" in caught.value.hint


def test_a_target_without_a_pinned_compiler_is_an_error(names: Names, lock: Lock) -> None:
    with pytest.raises(QuardError, match="no pinned compiler for mips") as caught:
        for_build(names, lock, "mips", ())
    assert caught.value.reason == "no-pinned-tools"


def test_the_tools_for_one_target_have_at_most_200_mb(names: Names, lock: Lock) -> None:
    for triple in names.targets:
        wanted = (*names.common, *names.machine, *names.targets[triple])
        assert sum(package.size for package in lock.closure(wanted)) <= MOST


def test_a_command_brings_what_it_only_works_with(names: Names, lock: Lock) -> None:
    assert {"autoconf", "automake"} <= found(for_build(names, lock, RISCV, ("autoreconf",)))
    generators = for_build(names, lock, RISCV, GENERATORS)
    assert {"autoconf", "automake", "libtool"} <= found(generators)


def test_the_documentation_lists_the_further_packages_with_commands_that_they_have(
    names: Names, lock: Lock
) -> None:
    page = (PROJECT / "docs/pinned-tools.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| ([a-z].*) \| (`.*) \|$", page.partition("Commands of `further`")[2], re.M
    )
    listed = {package for packages, _ in rows for package in packages.split(", ")}
    assert listed == set(names.further)
    for packages, text in rows:
        commands = re.findall(r"`([^`]+)`", text)
        owners = {owner(names, lock, command) for command in commands}
        assert owners <= found(lock.closure(packages.split(", "))), commands
        assert None not in owners


def test_links_are_those_to_commands_that_the_build_sees(names: Names, lock: Lock) -> None:
    plain = links(names, for_build(names, lock, RISCV, ()))
    assert plain["usr/bin/awk"] == "gawk" and plain["usr/bin/cc"] == "gcc"
    assert "usr/bin/automake" not in plain
    assert "usr/bin/automake" in links(names, for_build(names, lock, RISCV, ("automake",)))
    assert set(plain) < set(names.links)


def test_only_the_kconfig_editor_sees_ncurses(names: Names, lock: Lock) -> None:
    build = found(for_build(names, lock, RISCV, ()))
    assert "libncurses-dev" not in build
    assert found(for_build(names, lock, RISCV, (), names.menuconfig)) >= {"libncurses-dev", *build}
