"""ByTarget: the value that a recipe has for one target."""

from __future__ import annotations

from pathlib import Path

import pytest
from plan_parts import RISCV

from quard.base.errors import QuardError
from quard.boards.targets import target
from quard.boards.trees import Trees
from quard.model import Kconfig, Make
from quard.recipes import parse
from quard.recipes.catalog import Catalog, Package
from quard.recipes.lint import lint
from quard.recipes.variant import Variant
from quard.target import Target

TOP = Path(__file__).resolve().parents[3]
TREES = Trees(TOP)
AARCH64, ARM, S390X = (
    target(triple) for triple in ("aarch64-linux-gnu", "arm-linux-gnueabihf", "s390x-linux-gnu")
)
WORDS = (
    '"riscv64-linux-gnu": "triple", "riscv64": "processor", "bits:32": "32", "bits:64": "64",'
    ' "endian:big": "big", "endian:little": "little", "*": "others"'
)


def parsed(fields: str, given: Target | None = RISCV) -> Make:
    text = f'from quard.model import ByTarget, Make\nRECIPE = Make(summary="a", {fields})\n'
    found = parse.recipe(text.encode(), "packages/a/recipe.py", Variant(given, TREES))
    assert isinstance(found, Make)
    return found


def version(choice: str, given: Target | None = RISCV) -> str:
    return parsed(f'license="MIT", version=ByTarget({choice})', given).version


def refused(choice: str, given: Target | None = RISCV) -> QuardError:
    with pytest.raises(QuardError) as caught:
        version(choice, given)
    return caught.value


def test_the_most_special_word_counts_in_whatever_order_they_are_written() -> None:
    words = WORDS.split(", ")
    for count, wanted in enumerate(("triple", "processor", "64", "little", "others")):
        left = [each for each in words if each.split('"')[1] not in RISCV.chosen_by[:count]]
        assert version("{" + ", ".join(left) + "}") == wanted
        assert version("{" + ", ".join(reversed(left)) + "}") == wanted


@pytest.mark.parametrize(
    ("given", "wanted"), [(AARCH64, "64"), (ARM, "32"), (S390X, "64"), (RISCV, "triple")]
)
def test_each_target_has_its_own_value(given: Target, wanted: str) -> None:
    assert version("{" + WORDS + "}", given) == wanted


def test_the_processor_counts_for_both_c_libraries() -> None:
    musl = target("riscv64-linux-musl")
    assert version("{" + WORDS + "}", musl) == "processor"


def test_it_stands_for_a_whole_list_for_one_item_and_within_calls_and_other_choices() -> None:
    inner = 'ByTarget({"bits:64": ["x"], "*": ["y"]})'
    fields = (
        'version="1", license="MIT",'
        f' make=["a", ByTarget({{"riscv64": "b", "*": "c"}})], variables={inner} + ["z"],'
        f' tools=ByTarget({{"riscv64": {inner}, "*": []}}),'
        ' finish=[Install(ByTarget({"riscv64": "from", "*": "other"}), "to")]'
    )
    found = parsed(fields)
    assert (found.make, found.variables, found.tools) == (("a", "b"), ("x", "z"), ("x",))
    assert found.finish[0].source == "from"  # type: ignore[union-attr]
    assert parsed(fields, ARM).make == ("a", "c")


def test_a_target_without_a_value_is_refused_with_the_line_and_what_to_add() -> None:
    error = refused('{\n"aarch64": "1", "bits:32": "2"}')
    assert error.reason == "not-for-target"
    assert error.detail == "line 2: ByTarget has no value for riscv64-linux-gnu"
    assert error.hint == "add one of riscv64-linux-gnu, riscv64, bits:64, endian:little, *"


def test_a_word_that_is_no_target_is_refused_though_it_would_not_be_chosen() -> None:
    error = refused('{"riscv64": "1", "aarch46": "2"}')
    assert error.reason == "unknown-target"
    assert "'aarch46' is no target" in error.detail
    assert error.hint == "did you mean 'aarch64'?"


def test_a_product_may_name_its_own_target(tmp_path: Path) -> None:
    (tmp_path / "configs/targets").mkdir(parents=True)
    (tmp_path / "configs/targets/sparc64-linux-gnu.toml").touch()
    text = (
        b'RECIPE = Make(summary="a", license="MIT", version=ByTarget({"sparc64": "1", "*": "2"}))'
    )
    trees = Trees(TOP, {"product": tmp_path})
    assert parse.recipe(text, "a", Variant(RISCV, trees)).version == "2"
    with pytest.raises(QuardError):
        parse.recipe(text, "a", Variant(RISCV, TREES))


@pytest.mark.parametrize(
    "choice",
    ["", "{}", '{"*": "1"}, "x"', '["1"]', '{1: "1"}', '{"*": "1", "*": "2"}', 'x={"*": "1"}'],
)
def test_what_is_not_written_as_a_choice_is_refused(choice: str) -> None:
    error = refused(choice)
    assert error.reason == "malformed-field"
    assert 'write ByTarget({"riscv64": ..., "*": ...})' in error.detail


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ('{"riscv64": "1", "*": 2}', "malformed-field"),
        ('{"riscv64": "1", "*": open("x")}', "unknown-field"),
        ('{"riscv64": "1", "*": x.y}', "recipe-syntax"),
        ('{"riscv64": "1", "arm": "2", "*": ByTarget({"arm": "3", "*": 4})}', "malformed-field"),
    ],
)
def test_a_value_that_is_not_chosen_is_checked_as_well(choice: str, reason: str) -> None:
    assert refused(choice).reason == reason


def test_without_a_board_the_first_value_stands_for_it() -> None:
    assert version('{"arm": "1", "*": "2"}', None) == "1"


def written(folder: Path) -> Path:
    package = folder / "packages/kc"
    package.mkdir(parents=True)
    (package / "recipe.py").write_text(
        'from quard.model import ByTarget, Kconfig\nRECIPE = Kconfig(summary="a", version="1",'
        ' license="MIT", fragments=["all.fragment",'
        ' ByTarget({"riscv64": "r.fragment", "*": "o.fragment"})])\n'
    )
    for name in ("all", "o", "r"):
        (package / f"{name}.fragment").write_text(f"CONFIG_{name.upper()}=y\n")
    (package / "table").write_text("of all\n")
    return package


def of(catalog: Catalog, given: Target) -> Package:
    return catalog.of(given, TREES)["kc"]


def test_a_build_sees_the_fragments_of_its_own_target(tmp_path: Path) -> None:
    catalog = Catalog(written(tmp_path).parent)
    for given, own in ((RISCV, "r"), (ARM, "o")):
        found = of(catalog, given)
        assert isinstance(found.recipe, Kconfig)
        assert found.recipe.fragments == ("all.fragment", f"{own}.fragment")
        assert sorted(f.name for f in found.files()) == [
            "all.fragment", f"{own}.fragment", "table"
        ]  # fmt: skip


def test_the_parse_cache_has_an_entry_for_each_target(tmp_path: Path) -> None:
    folder, memory = written(tmp_path).parent, tmp_path / "memory"
    first = Catalog(folder, memory)
    wanted = [of(first, given).recipe for given in (RISCV, ARM)]
    first.of(ARM, TREES).remember()
    second = Catalog(folder, memory)
    second._remembered.add = None  # type: ignore[method-assign,assignment]
    assert [of(second, given).recipe for given in (RISCV, ARM)] == wanted


def test_a_recipe_that_is_equal_for_all_targets_is_read_once(tmp_path: Path) -> None:
    package = written(tmp_path)
    (package / "recipe.py").write_text('RECIPE = Make(summary="a", version="1", license="MIT")\n')
    catalog = Catalog(package.parent)
    assert of(catalog, RISCV) is of(catalog, ARM)


@pytest.mark.parametrize("given", [RISCV, AARCH64], ids=lambda given: given.triple)
def test_our_recipes_are_clean_for_each_target_of_a_board(given: Target) -> None:
    catalog = Catalog(TOP / "packages").of(given, TREES)
    found = [str(each) for name in catalog.names() for each in lint(catalog[name], catalog)]
    assert found == []
