"""The packages of a board's roots: which are one unit, and which are built twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import add, add_text, feature, recipe_text

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.plan.board import Surroundings, image_units
from quard.plan.packages import Packages, package_units
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
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
    """app -> lib -> base; app has a feature that needs mnl; kernel has a file for the images."""
    packages = tmp_path / "packages"
    add(packages, "base")
    add(packages, "lib", needs='("base",)', features=feature("big"))
    add(packages, "mnl")
    add(packages, "app", needs='("lib",)', features=feature("net", needs='("mnl",)'))
    add_text(packages, "kernel", recipe_text("Make", finish='(Install("Image", "boot/Image"),)'))
    (tmp_path / "configs").mkdir()
    return tmp_path


def resolved(project: Path, text: str) -> dict[str, Resolved]:
    (project / "configs/one.toml").write_text(BOARD + text)
    chosen = board.load(Trees(project), "one")
    catalog, own = Catalog(project / "packages"), Fragments(Trees(project), chosen.configuration)
    return {
        root.name: Resolver(
            root, catalog, Fragments(Trees(project), root.configuration, own) if root.name else own
        ).resolve({}, {})
        for root in (chosen.own, *chosen.roots)
    }


def packages(project: Path, text: str) -> Packages:
    return package_units(resolved(project, text))


def inputs(found: Packages, unit: str) -> set[str]:
    return {each.unit for each in found.units[unit].inputs}


def test_equal_packages_of_two_roots_are_the_unit_of_the_boards_own(project: Path) -> None:
    found = packages(project, '[roots.early]\npackages = ["app", "mnl"]\n')
    assert [*found.units] == ["base@one", "lib@one", "app@one", "mnl@one/early"]
    assert found.unit("early", "app") is found.unit("", "app")
    assert found.unit("early", "mnl").name == "early/mnl"


def test_a_difference_is_inherited_by_all_that_is_built_upon_it(project: Path) -> None:
    found = packages(project, '[roots.early]\npackages = ["app"]\nfeatures.lib.big = true\n')
    assert set(found.units) == {
        "base@one", "lib@one", "app@one", "lib@one/early", "app@one/early"
    }  # fmt: skip
    assert inputs(found, "lib@one/early") == {"base@one"}
    # Its plan is that of app@one, but what goes into it is another lib.
    assert found.unit("early", "app").plan.identity == found.unit("", "app").plan.identity
    assert "lib@one/early" in inputs(found, "app@one/early")


def test_a_difference_at_the_top_leaves_what_is_below_shared(project: Path) -> None:
    found = packages(project, '[roots.early]\npackages = ["app"]\nfeatures.app.net = true\n')
    assert set(found.units) == {"base@one", "lib@one", "app@one", "mnl@one/early", "app@one/early"}
    assert {"lib@one", "mnl@one/early"} <= inputs(found, "app@one/early")


def test_two_named_roots_share_what_the_boards_own_does_not_have(project: Path) -> None:
    found = packages(
        project, '[roots.early]\npackages = ["mnl"]\n[roots.late]\npackages = ["mnl"]\n'
    )
    assert found.unit("late", "mnl").id == "mnl@one/early"


def test_a_root_with_other_flags_shares_nothing(project: Path) -> None:
    found = packages(project, '[roots.early]\npackages = ["app"]\nflags.c = "-Os"\n')
    assert {unit.id for unit in found.units.values() if unit.folder} == {
        "base@one/early", "lib@one/early", "app@one/early"
    }  # fmt: skip


def test_keys_name_no_root_so_that_equal_results_are_shared(project: Path) -> None:
    found = packages(project, '[roots.early]\npackages = ["app"]\nfeatures.lib.big = true\n')
    names = [each.name for each in found.units["app@one/early"].inputs]
    assert names == [each.name for each in found.units["app@one"].inputs]


def images(project: Path, text: str) -> dict[str, tuple[str, ...]]:
    """Return the units of the images -> their files."""
    roots = resolved(project, text)
    around = Surroundings(
        systems={"base": ""},
        overlays={"rootfs": ""},
        authorized_keys=(),
        machine="",
        template="",
        hooks={"h.sh": ""},
    )
    chosen = board.load(Trees(project), "one")
    units = image_units(chosen, roots, package_units(roots), around)
    return {unit.id: unit.files for unit in units.values()}


def test_a_file_that_two_roots_deploy_is_beside_the_images_once(project: Path) -> None:
    own, other = (f"[roots.{root}]\npackages = ['kernel']\n" for root in ("early", "late"))
    found = images(project, own + other)
    assert found["one/early/Image"] == ("early/Image",) and "one/late/Image" not in found
    found = images(project, own + "flags.c = '-Os'\n" + other)
    assert (found["one/early/Image"], found["one/late/Image"]) == (
        ("early/Image",),
        ("late/Image",),
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [("app", "roots.app has the name of a package"), ("run.sh", "the name of a file")],
)
def test_a_root_takes_no_name_that_something_else_has(project: Path, name: str, said: str) -> None:
    with pytest.raises(QuardError) as caught:
        images(project, f"[roots.'{name}']\npackages = []\n")
    assert caught.value.reason == "bad-board" and said in caught.value.message


@pytest.mark.parametrize("root", ["", "early"])
@pytest.mark.parametrize("name", ["data.ext4", "manifest.json", "rootfs.tar", "unfinished"])
def test_a_script_makes_no_file_that_the_images_folder_has(
    project: Path, root: str, name: str
) -> None:
    hooks = f'post_image = ["h.sh"]\noutputs = ["{name}"]\n'
    table = f"[roots.{root}]\npackages = []\n[roots.{root}.hooks]\n" if root else "[hooks]\n"
    if root and name in ("data.ext4", "unfinished"):  # which only the folder of the board has
        assert images(project, table + hooks)["one/early/post-image"] == (f"early/{name}",)
        return
    with pytest.raises(QuardError) as caught:
        images(project, table + hooks)
    assert caught.value.reason == "bad-board" and "is an image already" in caught.value.message
