"""The generator of synthetic boards: the same from a seed, and shaped as real boards are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import scale
from bench.floor import Floor
from bench.synthetic import Shape, generate, shapes
from quard.boards.board import load
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.plan.resolve import Resolver
from quard.recipes import checked
from quard.recipes.catalog import Catalog

SIZES = (5, 10, 100, 1000)


def users(found: tuple[Shape, ...]) -> dict[str, int]:
    """Return how many packages need each library directly."""
    count = {shape.name: 0 for shape in found}
    for shape in found:
        for need in shape.needs:
            count[need] += 1
    return count


@pytest.mark.parametrize("size", SIZES)
def test_a_board_has_as_many_packages_as_asked_for_with_the_c_library(size: int) -> None:
    found = shapes(size, 1)
    assert len({shape.name for shape in found}) == size - 1


def test_a_board_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        shapes(4, 1)


def test_the_same_seed_gives_the_same_board_and_another_one_another() -> None:
    assert shapes(200, 7) == shapes(200, 7)
    assert shapes(200, 7) != shapes(200, 8)


@pytest.mark.parametrize("size", SIZES)
def test_needs_come_first_and_are_libraries(size: int) -> None:
    seen: dict[str, Shape] = {}
    for shape in shapes(size, 1):
        assert all(need in seen and seen[need].kind != "program" for need in shape.needs)
        assert set(shape.exports) <= set(shape.needs)
        assert list(shape.needs) == sorted(set(shape.needs))
        seen[shape.name] = shape


def test_a_few_hubs_have_many_users_and_most_libraries_few() -> None:
    found = shapes(1000, 1)
    count = users(found)
    hubs = [count[shape.name] for shape in found if shape.kind == "hub"]
    libraries = sorted(count[shape.name] for shape in found if shape.kind == "library")
    assert min(hubs) > 50
    assert libraries[len(libraries) // 2] <= 5
    assert len(libraries) < 400 < sum(shape.kind == "program" for shape in found)


def test_libraries_lie_in_layers() -> None:
    depth: dict[str, int] = {}
    for shape in shapes(1000, 1):
        depth[shape.name] = 1 + max((depth[need] for need in shape.needs), default=0)
    assert 5 <= max(depth.values()) <= 7


def test_most_packages_only_install_files_and_every_form_is_there() -> None:
    forms = [shape.form for shape in shapes(1000, 1)]
    assert forms.count("installed") > 850
    assert forms.count("compiled") > 40 and forms.count("configured") > 40


@pytest.mark.parametrize("size", [10, 60])
def test_the_recipes_are_clean_and_resolve(tmp_path: Path, size: int) -> None:
    board = generate(tmp_path, size)
    folder = board.project.folder
    catalog = Catalog(folder / "packages")
    chosen = load(Trees(folder), "tiny")
    fragments = Fragments(Trees(folder), chosen.configuration)
    resolved = Resolver(chosen.own, catalog, fragments).resolve({}, {})
    assert len(resolved.image) == size
    checked.require(resolved.packages.values(), catalog)
    for shape in board.shapes:
        assert resolved.graph.edges[shape.name].needs == shape.needs


def test_packages_share_archives(tmp_path: Path) -> None:
    board = generate(tmp_path, 120)
    assert len(list(board.project.sources.iterdir())) == 3
    assert {shape.archive for shape in board.shapes} == {0, 1, 2}


def test_equal_boards_are_written_alike(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        generate(tmp_path / name, 20)
    first, second = tmp_path / "one", tmp_path / "two"
    for path in sorted((first / "project/packages").rglob("*.*")):
        other = second / path.relative_to(first)
        assert path.read_text() == other.read_text().replace(str(second), str(first))
    archives = [path.name for path in (first / "sources").iterdir()]
    for name in archives:
        assert (first / "sources" / name).read_bytes() == (second / "sources" / name).read_bytes()


def test_changing_the_leaf_changes_one_file_of_a_program_that_nobody_needs(tmp_path: Path) -> None:
    board = generate(tmp_path, 20)
    assert board.leaf.kind == "program" and users(board.shapes)[board.leaf.name] == 0
    packages = board.project.folder / "packages"
    before = {path: path.read_bytes() for path in packages.rglob("*.*")}
    board.change_leaf("once")
    changed = [path for path, content in before.items() if path.read_bytes() != content]
    assert changed == [packages / board.leaf.name / "data.txt"]


def test_the_plain_graph_has_a_command_for_each_package(tmp_path: Path) -> None:
    found = shapes(12, 1)
    floor = Floor(tmp_path / "floor", found)
    made = {path.name for path in (tmp_path / "floor/out").iterdir()}
    assert made == {shape.name for shape in found}
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "floor/out").iterdir()}
    cost = floor.run()
    assert cost.seconds > 0 and cost.cpu > 0
    assert {path: path.stat().st_mtime_ns for path in times} == times
    needs = json.loads((tmp_path / "floor/packages.json").read_text())
    assert needs == {shape.name: list(shape.needs) for shape in found}


def test_sizes_are_read_from_a_list_and_sorted() -> None:
    assert scale.counts("100,10,100") == (10, 100)
    for wrong in ("", "x", "10,", "4"):
        with pytest.raises(ValueError):
            scale.counts(wrong)
