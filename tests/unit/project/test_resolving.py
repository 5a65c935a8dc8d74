"""quard.project.resolving: the roots of a board, with the packages for the build machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from recipe_parts import add, feature

from quard.base.errors import QuardError
from quard.boards import board, native
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.plan.packages import Packages, package_units
from quard.plan.plan import KconfigStep
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.plan.source import Tree
from quard.project.resolving import options_of_table, resolve
from quard.recipes.catalog import Catalog

BOARD = """\
summary = "One"
target = "riscv64-linux-gnu"
machine = "virt"
packages = ["app"]
image.formats = []
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """app calls gen and needs lib; gen needs lib, too, and calls helper."""
    packages = tmp_path / "packages"
    add(packages, "lib")
    add(packages, "helper")
    add(packages, "gen", needs='("lib",)', natives='("helper",)', features=feature("big"))
    add(packages, "app", needs='("lib",)', natives='("gen",)')
    (tmp_path / "configs").mkdir()
    return tmp_path


def resolved(
    project: Path, text: str = "", *extra: tuple[str, str], machine: str = "x86_64"
) -> dict[str, Resolved]:
    (project / "configs/one.toml").write_text(BOARD + text)
    chosen = board.load(Trees(project), "one")
    catalog, own = Catalog(project / "packages"), Fragments(Trees(project), chosen.configuration)
    resolvers = {"": Resolver(chosen.own, catalog, own)}
    for root in chosen.roots:
        fragments = Fragments(Trees(project), root.configuration, own)
        resolvers[root.name] = Resolver(root, catalog, fragments, own=resolvers[""])

    def build(names: Iterable[str]) -> Resolver:
        root = native.root("one", machine, names)
        return Resolver(root, catalog, Fragments(Trees(project), root.configuration))

    return resolve(resolvers, build, {}, {"lib": Tree("7" * 64, configured=True)}, extra)


def packages(project: Path, text: str = "", *extra: tuple[str, str]) -> Packages:
    return package_units(resolved(project, text, *extra))


def inputs(found: Packages, unit: str) -> list[str]:
    return [f"{each.unit}:{each.part}" for each in found.units[unit].inputs]


def test_what_builds_call_is_built_for_the_build_machine_before_all_else(project: Path) -> None:
    assert [*packages(project).units] == [
        "helper@build", "lib@build", "gen@build", "lib@one", "app@one"
    ]  # fmt: skip


def test_a_board_whose_recipes_call_nothing_has_no_such_packages(project: Path) -> None:
    add(project / "packages", "app", needs='("lib",)')
    assert [*resolved(project)] == [""]
    assert [*packages(project).units] == ["lib@one", "app@one"]


def test_a_build_has_all_that_it_sees_among_its_inputs(project: Path) -> None:
    found = packages(project)
    assert inputs(found, "app@one") == [
        "lib@one:interface",
        "gen@build:dev", "gen@build:libs", "gen@build:programs",
        "helper@build:libs", "helper@build:programs",
        "lib@build:libs", "lib@build:programs",
    ]  # fmt: skip
    assert inputs(found, "helper@build") == inputs(found, "lib@one") == []


def test_the_names_in_a_key_tell_a_native_package_from_the_target_s(project: Path) -> None:
    names = [each.name for each in packages(project).units["app@one"].inputs]
    assert len(set(names)) == len(names)
    assert {"lib:interface", "lib@build:libs"} <= {*names}


def test_a_native_package_sees_no_sysroot_of_the_target(project: Path) -> None:
    plans = resolved(project)[native.NAME].plans
    assert plans["gen"].needs == plans["gen"].links == ()
    assert "lib:dev" in plans["gen"].natives


def test_roots_and_boards_share_them(project: Path) -> None:
    one = packages(project)
    two = packages(project, 'roots.small.packages = ["app"]\nroots.small.flags.c = "-Os"\n')
    ours = [unit for unit in two.units if unit.endswith("@build")]
    assert ours == ["helper@build", "lib@build", "gen@build"]
    assert {"app@one", "app@one/small"} <= two.units.keys()
    assert [two.units[unit].plan for unit in ours] == [one.units[unit].plan for unit in ours]


def test_the_board_s_features_and_flags_are_for_the_target(project: Path) -> None:
    text = '[features]\ngen.big = true\n[flags]\nc = "-O3"\n'
    before, after = resolved(project)[native.NAME], resolved(project, text)[native.NAME]
    assert before.plans == after.plans


def test_a_local_tree_replaces_the_source_of_both(project: Path) -> None:
    found = resolved(project)
    assert found[""].plans["lib"].tree == found[native.NAME].plans["lib"].tree == "7" * 64


def test_a_feature_that_is_on_can_call_programs(project: Path) -> None:
    add(project / "packages", "app", features=feature("docs", natives='("helper",)'))
    assert native.NAME not in resolved(project)
    found = resolved(project, "[features]\napp.docs = true\n")
    assert [*found[native.NAME].plans] == ["helper"]


def test_a_package_can_be_asked_for_that_no_build_calls(project: Path) -> None:
    found = resolved(project, "", (native.NAME, "app"))[native.NAME]
    assert [*found.plans] == ["helper", "lib", "gen", "app"]


def test_programs_that_call_each_other_are_a_cycle(project: Path) -> None:
    add(project / "packages", "helper", natives='("gen",)')
    with pytest.raises(QuardError, match="for the build machine: dependency cycle") as caught:
        resolved(project)
    assert caught.value.detail == "gen -> helper -> gen"


def test_another_processor_is_one_error_where_there_are_such_packages(project: Path) -> None:
    with pytest.raises(QuardError, match="sparc64") as caught:
        resolved(project, machine="sparc64")
    assert caught.value.reason == "no-natives"
    add(project / "packages", "app")
    assert [*resolved(project, machine="sparc64")] == [""]


@pytest.mark.parametrize("used", [True, False])
def test_a_package_cannot_be_called_like_the_build_machine(project: Path, used: bool) -> None:
    """Whether the board has packages for it or not."""
    if not used:
        add(project / "packages", "app")
        assert native.NAME not in resolved(project)
    add(project / "packages", "build")
    with pytest.raises(QuardError, match="stands for the build machine") as caught:
        resolved(project)
    assert caught.value.reason == "bad-package-name"


@pytest.mark.parametrize(
    ("name", "fields", "where"),
    [
        ("app", {"natives": '("gne",)'}, "natives: no package 'gne'"),
        ("app", {"needs": '("lbi",)'}, "needs: no package 'lbi'"),
        ("gen", {"needs": '("lbi",)'}, "needs: no package 'lbi'"),
        ("gen", {"for_build": 'ForBuild(needs=("lbi",))'}, "for_build.needs: no package 'lbi'"),
    ],
)
def test_an_unknown_package_is_named_with_the_recipe_that_asks_for_it(
    project: Path, name: str, fields: dict[str, str], where: str
) -> None:
    add(project / "packages", name, **({"natives": '("gen",)'} if name == "app" else {}) | fields)
    with pytest.raises(QuardError) as caught:
        resolved(project)
    assert caught.value.reason == "unknown-package"
    assert f"packages/{name}/recipe.py: {where}" in caught.value.detail


def test_a_wrong_option_of_a_package_in_another_root_is_an_error_in_its_recipe(
    project: Path,
) -> None:
    add(project / "packages", "linux", "Kconfig", provides='["kernel"]')
    add(project / "packages", "ssh", kernel='["SECCOMP=m"]')
    add(project / "packages", "app", runtime='("linux",)')
    with pytest.raises(QuardError) as caught:
        resolved(project, '[roots.early]\npackages = ["ssh"]\n')
    assert caught.value.reason == "bad-kernel-option"


def test_modules_of_a_root_without_a_kernel_are_for_the_board_s(project: Path) -> None:
    add(project / "packages", "linux", "Kconfig", provides='["kernel"]')
    add(project / "packages", "module", "KernelModule", kernel='["DM"]')
    add(project / "packages", "other", kernel='["SECCOMP"]')
    add(project / "packages", "app", runtime='("linux", "other")')
    text = '[roots.early]\npackages = ["module"]\n'
    found = packages(project, text)
    assert found.ids["early", "linux"] == found.ids["", "linux"] == "linux@one"
    assert inputs(found, "module@one/early") == ["linux@one:interface"]
    configured = resolved(project, text)[""].plans["linux"].steps[0]
    assert isinstance(configured, KconfigStep)
    assert configured.relied == ("DM", "MODULES=y", "SECCOMP")


def test_modules_of_a_root_with_a_kernel_are_for_that(project: Path) -> None:
    add(project / "packages", "linux", "Kconfig", provides='["kernel"]')
    add(project / "packages", "module", "KernelModule")
    add(project / "packages", "app", runtime='("linux",)')
    found = packages(project, '[roots.early]\npackages = ["linux", "module"]\n')
    assert inputs(found, "module@one/early") == ["linux@one/early:interface"]


TABLE = """\
[[group]]
name = "root"
gid = 0
[[user]]
name = "root"
uid = 0
gid = "root"
[[permission]]
path = "/x"
mode = "0755"
"""


def options(folder: Path, table: str | None) -> list[tuple[str, str]]:
    """Return the kernel options that a board's system table relies on."""
    (folder / "configs/system").mkdir(parents=True)
    (folder / "configs/one.toml").write_text(BOARD.replace("[]", '["ext4"]'))
    if table is not None:
        (folder / "configs/system/base.toml").write_text(table)
    trees = Trees(folder)
    return [*options_of_table(board.load(trees, "one").own, trees)()]


def test_permissions_of_a_table_that_give_attributes_rely_on_options(tmp_path: Path) -> None:
    found = options(tmp_path, TABLE + 'capabilities = "cap_net_raw+ep"\n')
    assert found == [("configs/system/base.toml", "EXT4_FS_SECURITY")]


@pytest.mark.parametrize("table", [TABLE, TABLE + 'xattrs.user.x = "1"\n', None])
def test_other_tables_rely_on_none(tmp_path: Path, table: str | None) -> None:
    assert options(tmp_path, table) == []


def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        options(tmp_path, TABLE + 'capabilities = "cap_x+ep"\n')
    assert caught.value.reason == "bad-system-table"
