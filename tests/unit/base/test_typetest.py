"""A value is held against the annotation itself, however it is nested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from quard.base.typetest import field_tests, fits


class Words(tuple[str, ...]):
    """A tuple of a type of its own, as a recipe's Run."""

    __slots__ = ()


@dataclass(frozen=True)
class Base:
    name: str
    words: dict[str, tuple[Words, ...]]


@dataclass(frozen=True)
class Derived(Base):
    level: Literal["low", "high"] | None = None


GOOD: list[tuple[Any, Any]] = [
    (str, "a"),
    (int, 1),
    (bool, True),
    (type(None), None),
    (Base, Derived("a", {})),
    (str | None, None),
    (int | str, "a"),
    (Literal["low", "high"], "low"),
    (Literal[1], 1),
    (tuple[str, ...], ()),
    (tuple[str, ...], ("a", "b")),
    (tuple[str, int], ("a", 1)),
    (tuple[tuple[str, Words | Base], ...], (("a", Words(("b",))), ("c", Base("d", {})))),
    (dict[str, str], {"a": "b"}),
    (dict[str, dict[str, tuple[int, ...]]], {"a": {"b": (1, 2)}}),
    (Words, Words(("a", "b"))),
]
BAD: list[tuple[Any, Any]] = [
    (str, b"a"),
    (str, None),
    (int, True),
    (bool, 1),
    (Derived, Base("a", {})),
    (str | None, 1),
    (Literal["low", "high"], "lo"),
    (Literal["low", "high"], "low', 'high"),
    (Literal[1], True),
    (tuple[str, ...], "ab"),
    (tuple[str, ...], ["a"]),
    (tuple[str, ...], ("a", 1)),
    (tuple[str, ...], Words(("a",))),
    (tuple[str, int], ("a",)),
    (tuple[str, int], ("a", 1, 1)),
    (tuple[tuple[str, Words | Base], ...], (("a", ("b",)),)),
    (dict[str, str], {"a": 1}),
    (dict[str, str], {1: "a"}),
    (dict[str, str], (("a", "b"),)),
    (dict[str, dict[str, tuple[int, ...]]], {"a": {"b": (1, "2")}}),
    (Words, ("a",)),
    (Words, tuple.__new__(Words, ("a", 1))),
]


@pytest.mark.parametrize(("annotation", "value"), GOOD)
def test_a_value_of_the_type_fits(annotation: Any, value: Any) -> None:
    assert fits(annotation)(value)


@pytest.mark.parametrize(("annotation", "value"), BAD)
def test_a_value_of_another_type_does_not_fit(annotation: Any, value: Any) -> None:
    assert not fits(annotation)(value)


def test_the_fields_of_a_class_and_of_its_base_have_their_tests() -> None:
    tests = field_tests(Derived)
    assert set(tests) == {"name", "words", "level"}
    assert tests["words"]({"a": (Words(("b",)),)})
    assert not tests["words"]({"a": Words(("b",))})
    assert tests["level"]("high") and tests["level"](None) and not tests["level"]("middle")


@pytest.mark.parametrize("annotation", ["str", list[str], Any])
def test_an_annotation_that_cannot_be_tested_is_refused_at_once(annotation: Any) -> None:
    with pytest.raises(TypeError):
        fits(annotation)
