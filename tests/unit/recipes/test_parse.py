"""A recipe class may have fields of any shape: pairs of pairs, dictionaries, classes within."""

from __future__ import annotations

from typing import Any

import pytest

from quard.base.errors import QuardError
from quard.base.record import record
from quard.model import Custom, Install, Run, Step
from quard.recipes import parse


@record(kw_only=True)
class Rich(Custom):
    """A style with fields that no real one has yet.

    by_target -- words for each architecture
    named     -- steps with names
    """

    by_target: dict[str, tuple[str, ...]]
    named: tuple[tuple[str, Step], ...] = ()


@pytest.fixture(autouse=True)
def rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parse._WORDS, "Rich", Rich)


def read(fields: str) -> Any:
    text = f'RECIPE = Rich(\n    summary="s", version="1", license="MIT",\n    {fields},\n)\n'
    return parse.recipe(text.encode(), "rich/recipe.py")


def test_dictionaries_and_pairs_with_classes_in_them_are_read() -> None:
    found = read(
        'by_target={"riscv64": ("a", "b") + ("c",), "arm": ()}, '
        'named=(("one", Run("make")), ("two", Install("x", "usr/x")))'
    )
    assert found.by_target == {"riscv64": ("a", "b", "c"), "arm": ()}
    assert found.named == (("one", Run("make")), ("two", Install("x", "usr/x")))


WRONG = {
    "a text for a dictionary": (
        'by_target="a"',
        "must be dict[str, list[str]]",
    ),
    "a text for a tuple in it": ('by_target={"a": "b"}', "Rich.by_target must be dict"),
    "a number for a key": ("by_target={1: ()}", "Rich.by_target must be dict"),
    "a key twice": ('by_target={"a": (), "a": ()}', "the key 'a' is given twice"),
    "a key that is no text": ("by_target={(): ()}", "a key of a dictionary must be a string"),
    "a dictionary in another": ("by_target={**{}}", "a key of a dictionary must be a string"),
    "a step without its name": (
        'by_target={}, named=(Run("make"),)',
        "Rich.named must be list[tuple[str, Step]]",
    ),
    "a field of a class in a pair": (
        'by_target={}, named=(("one", Install(1, "x")),)',
        "Install.source must be str | Template, not 1",
    ),
}


@pytest.mark.parametrize(("fields", "said"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_named_with_its_field(fields: str, said: str) -> None:
    with pytest.raises(QuardError) as caught:
        read(fields)
    assert caught.value.reason == "malformed-field"
    assert said in caught.value.detail


def test_what_differs_for_the_build_machine_has_the_fields_of_any_style() -> None:
    found = read('by_target={}, for_build=ForBuild(configure=("--x",), features=())')
    assert dict(found.for_build) == {"configure": ("--x",), "features": ()}


@pytest.mark.parametrize(
    "adds", ['services=["web"]', "configs=[1]", 'finish=Run("x")', 'users="web"', "env=[1]"]
)
def test_what_a_feature_adds_to_a_field_of_all_styles_has_the_type_of_that_field(adds: str) -> None:
    features = f'features=[Feature("web", summary="s", on=[], off=[], adds=Adds({adds}))]'
    with pytest.raises(QuardError, match="cannot be used") as caught:
        read(f"by_target={{}}, {features}")
    assert f"Adds.{adds.partition('=')[0]} must be list[" in caught.value.detail


@pytest.mark.parametrize(
    "given", ['ForBuild(**{"configure": ()})', "ForBuild(make=(), make=())", "ForBuild(1)"]
)
def test_what_differs_for_the_build_machine_has_names(given: str) -> None:
    with pytest.raises(QuardError, match=r"rich/recipe\.py cannot be used"):
        read(f"by_target={{}}, for_build={given}")
