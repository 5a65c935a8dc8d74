"""The plans of product trees, see tree_plans: those of docs/examples, or of a product.

`./scons test` in the folder of a product compares the plans of its tree with its folder `golden`.
Those of the examples are in trees/NAME: whoever begins with one of these has no such folder yet.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from tree_plans import TreePlans

import on_file
from quard.base.errors import QuardError
from quard.boards import treefile
from quard.boards.trees import Trees

TOP = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.parent for path in (TOP / "docs/examples").glob("*/quardroot.toml"))
OF_A_PRODUCT = "./scons test PYTEST_ARGS=--update-golden"


class Golden:
    """The plans of a tree, and the folder that has them as files.

    shown   -- the folder's name for people
    command -- writes the files
    """

    def __init__(self, plans: TreePlans, folder: Path, shown: str, command: str) -> None:
        self.plans = plans
        self.folder = folder
        self.shown = shown
        self.command = command

    def compared(self, files: dict[str, str], *, update: bool) -> str:
        """Return what is different; write the files before if that is wanted."""
        if update:
            for name, text in files.items():
                on_file.write(self.folder / name, text, f"{self.shown}/{name}")
        return self._told(self._changes(files))

    def _changes(self, files: dict[str, str]) -> Iterator[str]:
        for name, text in files.items():
            path, shown = self.folder / name, f"{self.shown}/{name}"
            if path.exists():
                yield on_file.changes(path, text, shown, "the plan of now")
            else:
                yield f"{shown} is missing\n"

    def left(self, known: Mapping[str, str], *, update: bool) -> str:
        """Return which files are those of nothing that is known; remove them if that is wanted."""
        strange = sorted(
            name
            for path in self.folder.rglob("*.json")
            if (name := path.relative_to(self.folder).as_posix()) not in known
        )
        if update:
            for name in strange:
                remove(self.folder / name, f"{self.shown}/{name}")
            return ""
        return self._told(f"{self.shown}/{name} is no plan of the tree\n" for name in strange)

    def _told(self, found: Iterable[str]) -> str:
        text = "".join(found)
        return f"{text}{on_file.accept(self.command)}" if text else ""


def remove(path: Path, shown: str) -> None:
    """Remove a file, and the folders that have nothing else."""
    on_file.remove(path, shown)
    for folder in path.parents:
        if any(folder.iterdir()):
            return
        folder.rmdir()


@cache
def of_product(folders: tuple[Path, ...]) -> Golden:
    """Return the plans of the last of these trees, which its own repository has."""
    trees = treefile.load(TOP, folders, folders[-1])
    return Golden(TreePlans(trees, trees.start), folders[-1] / "golden", "golden", OF_A_PRODUCT)


@cache
def of_example(folder: Path) -> Golden:
    """Return the plans of an example, whose folder is inside of the checkout."""
    name = tomllib.loads((folder / treefile.FILE).read_text(encoding="utf-8"))["name"]
    shown = f"tests/golden/trees/{name}"
    return Golden(TreePlans(Trees(TOP, {name: folder}), name), TOP / shown, shown, on_file.GOLDEN)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests the product of the command line, or else the examples; and their boards."""
    if "tree" not in metafunc.fixturenames:
        return
    folders = tuple(map(Path, metafunc.config.getoption("--tree", default=[])))
    trees = [of_product(folders)] if folders else [*map(of_example, EXAMPLES)]
    if "board" in metafunc.fixturenames:
        cases = [pytest.param(each, n, id=n) for each in trees for n in each.plans.boards]
        metafunc.parametrize(("tree", "board"), cases)
    else:
        metafunc.parametrize("tree", [pytest.param(each, id=each.plans.name) for each in trees])


def require(find: Callable[[], str]) -> None:
    """Fail with what is found, if anything is, or with an error: both are for the tree's makers."""
    try:
        found = find()
    except QuardError as error:
        found = error.block()
    except OSError as error:
        found = f"{error.filename}: {error.strerror}"
    if found:
        pytest.fail(found, pytrace=False)


def test_the_plans_of_a_board_are_those_on_file(tree: Golden, board: str, update: bool) -> None:
    require(lambda: tree.compared(tree.plans.of_board(board), update=update))


def test_the_plans_of_other_packages_are_those_on_file(tree: Golden, update: bool) -> None:
    require(lambda: tree.compared(tree.plans.of_packages(), update=update))


def test_no_file_is_left_of_a_board_or_package_that_is_gone(tree: Golden, update: bool) -> None:
    require(lambda: tree.left(tree.plans.all(), update=update))
