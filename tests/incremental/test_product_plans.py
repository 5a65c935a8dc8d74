"""`./scons test` in the folder of a product: its plans are compared with the files in golden/."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree_plans import TreePlans

import checkout
from quard.boards import treefile

UPDATE = "PYTEST_ARGS=--update-golden"
BOARD = """\
summary = "a board of a product"
target = "riscv64-linux-gnu"
machine = "virt"
packages = ["libc", "tool"]
"""
TOOL = """\
from quard.model import Autotools, Feature, Source
RECIPE = Autotools(
    summary="a program of our own",
    version="1",
    sources=[Source("https://example.org/tool.tar.gz", sha256="%s", provenance="the test")],
    license="MIT",
    license_files=["COPYING"],
    configure=["--plain"],
    features=[Feature("fast", summary="in no time", on=["--fast"], off=["--slow"], default=True)],
)
""" % ("1" * 64)


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """Return the folder of a product with a board and a package."""
    folder = tmp_path / "a product"
    for name in ("configs", "packages/tool"):
        (folder / name).mkdir(parents=True)
    (folder / "quardroot.toml").write_text('name = "acme"\nboard = "small"\n')
    (folder / "configs/small.toml").write_text(BOARD)
    (folder / "packages/tool/recipe.py").write_text(TOOL)
    return folder


def run(product: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run what ./scons of a product becomes."""
    top = checkout.TOP
    words = (f"--file={top}/SConstruct", f"--site-dir={top}/site_scons", "-Q", *arguments)
    return subprocess.run(
        [sys.executable, "-P", "-c", checkout.start(), str(top), *words],
        cwd=product,
        env={**os.environ, "XDG_CACHE_HOME": str(product.parent / "cache"), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files(product: Path) -> Iterator[str]:
    golden = product / "golden"
    yield from sorted(str(p.relative_to(golden)) for p in golden.rglob("*") if p.is_file())


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def plans(product: Path) -> dict[str, str]:
    """Return the files that the tree has to have."""
    trees = treefile.load(checkout.TOP, [product], product)
    return TreePlans(trees, trees.start).all()


def test_missing_files_are_told_and_written_where_that_is_wanted(product: Path) -> None:
    ran = run(product, "test")
    assert ran.returncode == 2
    assert "golden/small/tool.json is missing\n" in ran.stdout
    assert f"if this is meant: ./scons test {UPDATE}\n" in ran.stdout
    written = run(product, "test", UPDATE)
    assert written.returncode == 0
    assert "\nnew: golden/small/tool.json\n" in written.stdout
    assert "\nfiles in all: 4 new, 0 unchanged\n" in written.stdout
    assert [*files(product)] == [
        "small.json",
        "small/libc.json",
        "small/tool.fast-off.json",
        "small/tool.json",
    ]
    assert (again := run(product, "test")).returncode == 0, again.stdout
    assert again.stdout.splitlines()[-1].strip("= ").startswith("3 passed in ")
    assert not (product / ".pytest_cache").exists()


def test_what_changed_and_what_is_left_is_told_for_each_package(product: Path) -> None:
    run(product, "test", UPDATE)
    replace(product / "packages/tool/recipe.py", "--plain", "--simple")
    (product / "golden/gone").mkdir()
    (product / "golden/gone/old.json").write_text("{}\n")
    ran = run(product, "test")
    assert ran.returncode == 2
    assert "--- golden/small/tool.json\n+++ the plan of now\n" in ran.stdout
    assert '-        "--plain",\n+        "--simple",\n' in ran.stdout
    assert "golden/small/libc.json" not in ran.stdout
    assert "golden/gone/old.json is no plan of the tree\n" in ran.stdout
    assert "files in all" not in ran.stdout
    written = run(product, "test", UPDATE)
    assert written.returncode == 0
    for line in ("removed: golden/gone/old.json\n", "changed: golden/small/tool.json\n"):
        assert line in written.stdout
    assert "libc.json" not in written.stdout
    assert not (product / "golden/gone").exists()
    assert run(product, "test").returncode == 0


def test_an_error_of_the_tree_is_told_in_a_block(product: Path) -> None:
    replace(product / "packages/tool/recipe.py", "version=", "verzion=")
    ran = run(product, "test")
    assert ran.returncode == 2
    assert "reason: unknown-field\n" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "site_scons" not in ran.stdout


def test_a_run_that_does_nothing_runs_no_checks(product: Path) -> None:
    ran = run(product, "-n", "test")
    assert (ran.returncode, ran.stdout) == (0, "would run the project's test\n")


def test_a_patch_for_a_package_of_another_tree_changes_its_plan(product: Path) -> None:
    replace(product / "configs/small.toml", '"libc"', '"busybox", "libc"')
    before = plans(product)
    (product / "packages/busybox").mkdir()
    (product / "packages/busybox/0001-ours.patch").write_text("--- a/x\n+++ b/x\n")
    after = plans(product)
    assert {n for n in after if before[n] != after[n]} == {"small/busybox.json"}


def test_a_change_of_the_board_is_in_the_plans_of_all_that_it_affects(product: Path) -> None:
    before = plans(product)
    board = product / "configs/small.toml"
    board.write_text(BOARD + '[flags]\nc = "-Os"\n')
    after = plans(product)
    assert {n for n in after if before[n] != after[n]} == {
        "small/libc.json",
        "small/tool.fast-off.json",
        "small/tool.json",
    }
    board.write_text(BOARD + "[image]\nsize_mib = 77\n")
    assert {n for n in after if plans(product)[n] != before[n]} == {"small.json"}


def test_a_package_that_no_board_of_the_tree_has_is_planned_for_one_that_can(product: Path) -> None:
    replace(product / "configs/small.toml", ', "tool"', "")
    assert {"small/tool.json", "small/tool.fast-off.json"} < plans(product).keys()
    (product / "configs/small.toml").unlink()
    (product / "quardroot.toml").write_text('name = "acme"\n')
    assert [*plans(product)] == [
        "quard-star/tool.json",
        "quard-star/tool.fast-off.json",
    ]


def test_a_branch_that_the_board_refuses_is_on_file_with_the_reason(product: Path) -> None:
    replace(product / "packages/tool/recipe.py", "default=True", 'needs=["musl"]')
    refused = json.loads(plans(product)["small/tool.fast-on.json"])
    assert refused["refused"] and refused["reason"] == "wrong-c-library"
