"""What is remembered of recipes: never more than what reading them anew would say."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
from recipe_parts import TOP, add, recipe_text

from quard.base.errors import QuardError
from quard.model import Run
from quard.recipes import checked, parse, parse_cache
from quard.recipes.catalog import Catalog


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "recipes"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    for name in ("lib", "tool"):
        add(tmp_path / "packages", name)
    return tmp_path / "packages"


def learn(packages: Path, memory: Path) -> None:
    """Read and check all recipes, and remember them."""
    catalog = Catalog(packages, memory)
    checked.require([catalog[name] for name in catalog.names()], catalog)
    catalog.remember()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recipes that are parsed from now on."""
    names: list[str] = []
    plain = parse.recipe

    def count(content: bytes, where: str, *variant: None) -> object:
        names.append(where.split("/")[1])
        return plain(content, where, *variant)

    monkeypatch.setattr(parse, "recipe", count)
    return names


def test_a_recipe_is_parsed_once(packages: Path, memory: Path, parsed: list[str]) -> None:
    learn(packages, memory)
    first = {name: Catalog(packages)[name].recipe for name in ("lib", "tool")}
    parsed.clear()
    catalog = Catalog(packages, memory)
    assert {name: catalog[name].recipe for name in ("lib", "tool")} == first
    assert parsed == []


def test_a_changed_recipe_is_parsed_and_no_other(
    packages: Path, memory: Path, parsed: list[str]
) -> None:
    learn(packages, memory)
    parsed.clear()
    add(packages, "tool", version='"2.0"')
    catalog = Catalog(packages, memory)
    assert (catalog["tool"].recipe.version, catalog["lib"].recipe.version) == ("2.0", "1.0")
    assert parsed == ["tool"]


def test_without_a_file_nothing_is_remembered(packages: Path, parsed: list[str]) -> None:
    for _ in range(2):
        catalog = Catalog(packages)
        assert catalog["lib"].name == "lib"
        catalog.remember()
    assert parsed == ["lib", "lib"]


def test_the_projects_own_recipes_come_back_as_they_are(memory: Path) -> None:
    learn(TOP / "packages", memory)
    again, anew = Catalog(TOP / "packages", memory), Catalog(TOP / "packages")
    for name in anew.names():
        assert again[name] == anew[name]
        assert again.is_clean(again[name])


def test_a_command_comes_back_as_a_command() -> None:
    run = pickle.loads(pickle.dumps(Run("make", "all")))
    assert type(run) is Run
    assert run == Run("make", "all")


def test_another_engine_reads_everything_anew(
    packages: Path, memory: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = tmp_path / "engine"
    (engine / "plan").mkdir(parents=True)
    (engine / "lint.py").write_text("# one rule\n")
    monkeypatch.setattr(parse_cache, "_ENGINE", engine)
    learn(packages, memory)
    parsed.clear()
    learn(packages, memory)
    assert parsed == []
    (engine / "lint.py").write_text("# two rules\n")
    learn(packages, memory)
    assert sorted(parsed) == ["lib", "tool"]
    parsed.clear()
    (engine / "plan" / "new.py").write_text("")
    learn(packages, memory)
    assert sorted(parsed) == ["lib", "tool"]


def test_another_python_reads_everything_anew(
    packages: Path, memory: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(packages, memory)
    parsed.clear()
    monkeypatch.setattr("sys.version", "3.99.0")
    learn(packages, memory)
    assert sorted(parsed) == ["lib", "tool"]


def test_a_damaged_file_is_none(packages: Path, memory: Path, parsed: list[str]) -> None:
    learn(packages, memory)
    whole = memory.read_bytes()
    flipped = [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        for place in range(0, len(whole), 23)
    ]
    for damaged in (b"", whole[:31], whole[:64], whole[:-1], whole + b"x", *flipped):
        memory.write_bytes(damaged)
        parsed.clear()
        assert Catalog(packages, memory)["lib"].recipe.version == "1.0"
        assert parsed == ["lib"]


def test_a_file_without_its_digest_never_reaches_pickle(packages: Path, memory: Path) -> None:
    memory.write_bytes(bytes(64) + b"cos\nabort\n(tR.")
    assert Catalog(packages, memory)["lib"].recipe.version == "1.0"


def test_an_empty_file_with_its_digest_is_of_another_engine(packages: Path, memory: Path) -> None:
    memory.write_bytes(hashlib.sha256(b"").digest())
    assert Catalog(packages, memory)["lib"].recipe.version == "1.0"


def test_a_check_holds_for_the_same_files_beside_the_recipe(packages: Path, memory: Path) -> None:
    text = recipe_text(prepare='(Run("sh", "{files}/x.sh"),)')
    (packages / "tool" / "recipe.py").write_text(text)
    (packages / "tool" / "x.sh").write_text("")
    learn(packages, memory)
    (packages / "tool" / "x.sh").unlink()
    with pytest.raises(QuardError) as caught:
        learn(packages, memory)
    assert caught.value.reason == "missing-file"


def test_a_dependency_that_is_gone_is_found_though_the_recipe_was_clean(
    packages: Path, memory: Path
) -> None:
    add(packages, "tool", needs='("lib",)')
    learn(packages, memory)
    (packages / "lib" / "recipe.py").unlink()
    with pytest.raises(QuardError) as caught:
        learn(packages, memory)
    assert caught.value.reason == "unknown-package"


def test_a_recipe_that_is_wrong_is_not_remembered_as_clean(packages: Path, memory: Path) -> None:
    add(packages, "tool", summary='""')
    for _ in range(2):
        catalog = Catalog(packages, memory)
        with pytest.raises(QuardError) as caught:
            checked.require([catalog["tool"]], catalog)
        assert caught.value.reason == "bad-summary"
        catalog.remember()


def test_what_is_gone_is_forgotten_and_what_was_not_asked_for_is_kept(
    packages: Path, memory: Path, parsed: list[str]
) -> None:
    learn(packages, memory)
    size = memory.stat().st_size
    (packages / "tool" / "recipe.py").unlink()
    add(packages, "new")
    catalog = Catalog(packages, memory)
    assert catalog["new"].recipe.version == "1.0"
    catalog.remember()
    assert abs(memory.stat().st_size - size) < size / 10
    parsed.clear()
    assert Catalog(packages, memory)["lib"].recipe.version == "1.0"
    assert parsed == []


def test_a_memory_that_cannot_be_written_is_not_an_error(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "no-folder").write_text("")
    learn(packages, tmp_path / "no-folder" / "recipes")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("recipes")] == []
