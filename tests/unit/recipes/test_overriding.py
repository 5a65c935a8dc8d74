"""Packages as a board changes them: what goes into their plans, and into no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import SHA, add, add_text, recipe_text

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.model import Git, Source
from quard.plan.plan import CopyStep, KconfigStep, RunStep
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.plan.source import accepted, requests
from quard.recipes.catalog import Catalog

OTHER = "fedcba9876543210" * 4
KERNEL = {
    "devicetrees": '"arch/{linux_arch}/boot/dts"',
    "fragments": '("own.fragment",)',
    "make": '("Image",)',
    "variables": '("ARCH=x",)',
}
BOARD = 'summary = "x"\ntarget = "riscv64-linux-gnu"\nmachine = "virt"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A kernel with a patch and a fragment, and a package that does not need it."""
    packages = tmp_path / "packages"
    add_text(packages, "kernel", recipe_text("Kconfig", **KERNEL))
    add(packages, "tool")
    for name, text in {
        "packages/kernel/0001-own.patch": "own",
        "packages/kernel/own.fragment": "CONFIG_A=y\n",
        "packages/kernel/boot.cmd": "boot",
        "acme/fix.patch": "fix",
        "acme/boot.cmd": "another boot",
        "acme/board.dts": "/ {};",
        "acme/pins.dtsi": "pins",
        "acme/vendor.fragment": "CONFIG_A=y\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def resolve(project: Path, text: str = "", packages: str = '["kernel", "tool"]') -> Resolved:
    (project / "configs").mkdir(exist_ok=True)
    (project / "configs/one.toml").write_text(f"{BOARD}packages = {packages}\n{text}")
    trees = Trees(project)
    own = board.load(trees, "one").own
    resolver = Resolver(own, Catalog(project / "packages"), Fragments(trees, own.configuration))
    return resolver.resolve({}, {})


def refused(project: Path, text: str) -> QuardError:
    with pytest.raises(QuardError) as caught:
        resolve(project, text)
    return caught.value


def kconfig(found: Resolved) -> KconfigStep:
    (step,) = (s for s in found.plans["kernel"].steps if isinstance(s, KconfigStep))
    return step


def test_another_release_has_its_own_hash_version_and_patches_only(project: Path) -> None:
    before = resolve(project)
    found = resolve(project, f'sources.kernel = {{ version = "9", sha256 = "{OTHER}", size = 7 }}')
    old, new = (each.packages["kernel"].recipe.sources[0] for each in (before, found))
    assert isinstance(old, Source) and isinstance(new, Source)
    assert (new.address, new.sha256, new.size) == (old.address, OTHER, 7)
    assert new.provenance == "configs/one.toml"
    plan = found.plans["kernel"]
    assert (plan.version, plan.patches) == ("9", ())
    assert plan.sources == accepted(found.packages["kernel"].recipe) == (OTHER,)
    assert kconfig(found) == kconfig(before)
    assert found.plans["tool"] == before.plans["tool"]


def test_another_address_and_a_commit_are_sources(project: Path) -> None:
    found = resolve(
        project,
        f'[sources.kernel]\nversion = "9"\naddress = "https://acme.test/l-{{version}}.tar.gz"\n'
        f'sha256 = "{OTHER}"\nmirrors = ["https://b.test/x"]\n',
    )
    (request,) = requests("kernel", found.packages["kernel"].recipe)
    assert [one.addresses for one in request.variants] == [
        ("https://acme.test/l-9.tar.gz", "https://b.test/x")
    ]
    commit = "0123456789" * 4
    found = resolve(
        project,
        f'sources.kernel = {{ address="https://x/l.git", commit="{commit}", tree="{OTHER}" }}',
    )
    assert found.packages["kernel"].recipe.sources == (Git("https://x/l.git", commit, OTHER),)
    assert found.plans["kernel"].version == resolve(project).plans["kernel"].version


def test_patches_come_after_the_recipes_and_count_by_content(project: Path) -> None:
    text = 'patches.kernel = ["acme/fix.patch"]'
    before = resolve(project, text)
    assert [p.name for p in before.plans["kernel"].patches] == [
        "0001-own.patch",
        "board-0-fix.patch",
    ]
    places = before.packages["kernel"].places()
    assert places["board-0-fix.patch"].read_text() == "fix"
    assert places["0001-own.patch"].read_text() == "own"
    (project / "acme/fix.patch").write_text("other")
    assert resolve(project, text).plans["kernel"].identity != before.plans["kernel"].identity


def test_a_file_replaces_the_recipes_of_the_same_name(project: Path) -> None:
    before, found = resolve(project), resolve(project, 'files.kernel = ["acme/boot.cmd"]')
    names = [each.name for each in found.plans["kernel"].files]
    assert names == [each.name for each in before.plans["kernel"].files]
    assert found.plans["kernel"].files != before.plans["kernel"].files
    assert found.packages["kernel"].places()["boot.cmd"].read_text() == "another boot"


def test_a_defconfig_is_used_instead_of_the_recipes_base_and_fragments(project: Path) -> None:
    text = 'defconfigs.kernel = "acme_defconfig"\nfragments.kernel = ["acme/vendor.fragment"]'
    found = resolve(project, text)
    assert (kconfig(found).base, kconfig(found).fragments) == (
        "acme_defconfig",
        ("board-0-vendor.fragment",),
    )
    assert "own.fragment" not in [each.name for each in found.plans["kernel"].files]


def test_device_trees_are_built_before_the_kernel_and_deployed(project: Path) -> None:
    found = resolve(project, 'devicetrees.kernel = ["v/x.dtb", "acme/board.dts", "acme/pins.dtsi"]')
    plan = found.plans["kernel"]
    builds = [s.argv for s in plan.steps if isinstance(s, RunStep) and s.phase == "build"]
    dts, put = "arch/riscv/boot/dts", ("install", "-C", "-D", "-m", "0644")
    assert builds == [
        (*put, "{files}/board.dts", f"{dts}/board.dts"),
        (*put, "{files}/pins.dtsi", f"{dts}/pins.dtsi"),
        ("make", "ARCH=x", "v/x.dtb", "board.dtb"),
        ("make", "ARCH=x", "Image"),
    ]
    assert [s for s in plan.steps if isinstance(s, CopyStep)][-2:] == [
        CopyStep("install", f"{dts}/v/x.dtb", "boot/x.dtb", "0644"),
        CopyStep("install", f"{dts}/board.dtb", "boot/board.dtb", "0644"),
    ]
    assert plan.installs == len(plan.steps) - 2
    assert found.deployed("kernel") == ("x.dtb", "board.dtb")
    assert {each.name for each in plan.files} > {"board.dts", "pins.dtsi"}


def test_a_package_without_blobs_gets_the_trees_as_sources(project: Path) -> None:
    text = recipe_text("Kconfig", **{**KERNEL, "blobs": "False"})
    (project / "packages/kernel/recipe.py").write_text(text)
    plan = resolve(project, 'devicetrees.kernel = ["acme/board.dts"]').plans["kernel"]
    runs = [s.argv for s in plan.steps if isinstance(s, RunStep)]
    assert runs[0][-1] == "arch/riscv/boot/dts/board.dts"
    assert runs[1:] == [("make", "ARCH=x", "Image")]
    error = refused(project, 'devicetrees.kernel = ["v/x.dtb"]')
    assert "devicetrees.kernel cannot have v/x.dtb" in error.message


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ('defconfigs.tool = "x"', "defconfigs.tool is for packages that Kconfig configures", ""),
        ('devicetrees.tool = ["x.dtb"]', "devicetrees.tool is for packages that have device", ""),
        ('patches.kernel = ["acme/fiks.patch"]', ": patches.kernel: acme/fiks.patch cannot be read",
         "did you mean 'fix.patch'?"),
        ('patches.kernel = ["no/x.patch"]', ": patches.kernel: no/x.patch cannot be read", ""),
        ('devicetrees.kernel = ["acme/bord.dts"]',
         ": devicetrees.kernel: acme/bord.dts cannot be read", "did you mean 'board.dts'?"),
        ('devicetrees.kernel = ["acme"]', "devicetrees.kernel must name", ""),
        ('files.kernel = ["acme/pins.dtsi"]', "kernel has no file pins.dtsi", ""),
        (f'sources.kernel = {{ address = "x", sha256 = "{OTHER}" }}', "not an address: 'x'", ""),
        (f'sources.kernel = {{ address = "kernl:x/y", sha256 = "{OTHER}" }}',
         "unknown site 'kernl'; did you mean 'kernel'?", ""),
        (f'sources.kernel = {{ address = "https://x/{{release}}", sha256 = "{OTHER}" }}',
         "has the unknown placeholder {release}", ""),
    ],
)  # fmt: skip
def test_what_a_package_cannot_have_is_refused(
    project: Path, text: str, said: str, hint: str
) -> None:
    error = refused(project, text)
    assert error.reason == "bad-board"
    assert said in error.message
    assert hint in error.hint


def test_a_package_that_no_tree_has_is_unknown(project: Path) -> None:
    for text in ('patches.kernl = ["acme/fix.patch"]', 'defconfigs.kernl = "x"'):
        error = refused(project, text)
        assert (error.reason, error.hint) == ("unknown-package", "did you mean 'kernel'?")
        key = text.partition(" ")[0]
        assert error.message == f"configs/one.toml: {key}: unknown package 'kernl'"


def test_a_version_needs_an_archive_whose_address_can_have_it(project: Path) -> None:
    folder = add(project / "packages", "runs", "Make", sources='(Folder("src"),)')
    (folder / "src").mkdir()
    text = f'sources.runs = {{ version = "2", sha256 = "{SHA}" }}'
    with pytest.raises(QuardError) as caught:
        resolve(project, text, '["runs"]')
    assert caught.value.message == "configs/one.toml: sources.runs.address is missing"
    text = f'sources.none = {{ version = "2", sha256 = "{SHA}" }}'
    add_text(project / "packages", "none", recipe_text("ToolchainRuntime", sources=None))
    assert "sources.none is for packages that have a source" in refused(project, text).message


def test_patches_of_a_board_are_not_for_the_recipes_own_code(project: Path) -> None:
    folder = add(project / "packages", "runs", "Make", sources='(Folder("src"),)')
    (folder / "src").mkdir()
    error = refused(project, 'patches.runs = ["acme/fix.patch"]')
    assert error.message.endswith("patches.runs is for packages that are unpacked")
    assert error.hint.startswith("change the files in src of packages/runs/recipe.py instead")


def test_options_that_packages_rely_on_are_compared_with_the_boards_own_fragment(
    project: Path,
) -> None:
    add(project / "packages", "user", kernel='["A"]')
    role = {**KERNEL, "provides": '["kernel"]'}
    add_text(project / "packages", "kernel", recipe_text("Kconfig", **role))
    packages = '["kernel", "user"]'
    assert kconfig(resolve(project, packages=packages)).relied == ()
    (project / "acme/own.fragment").write_text("# CONFIG_A is not set\n")
    found = resolve(project, 'files.kernel = ["acme/own.fragment"]', packages)
    assert kconfig(found).relied == ("A",)
