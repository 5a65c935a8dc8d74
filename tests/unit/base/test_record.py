"""quard.base.record: classes behave as those whose methods `dataclasses` generates."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import pytest

from quard.base.record import Record, record


@record
class Shown(Record):
    one: str
    two: tuple[int, ...] = ()
    hidden: str = field(default="secret", repr=False)
    ignored: int = field(default=0, compare=False)
    made: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Generated:
    one: str
    two: tuple[int, ...] = ()
    hidden: str = field(default="secret", repr=False)
    ignored: int = field(default=0, compare=False)
    made: Mapping[str, int] = field(default_factory=dict)


@record(kw_only=True)
class Named(Shown):
    three: int
    four: str = "4"
    sum: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sum", self.three + len(self.two))


@record
class Empty(Record):
    pass


@record
class Counted(Record):
    made: ClassVar[int] = 3
    one: str

    @cached_property
    def length(self) -> int:
        return len(self.one)


PAIR = pytest.mark.parametrize("kind", [Shown, Generated])


def test_types_of_fields_are_as_they_are_written() -> None:
    types = {each.name: each.type for each in fields(Generated)}
    assert {each.name: each.type for each in fields(Shown)} == types
    assert {each.name: each.type for each in fields(Named)} == {
        **types, "three": "int", "four": "str", "sum": "int"
    }  # fmt: skip
    assert Shown.__annotations__ == Generated.__annotations__
    assert [each.name for each in fields(Counted)] == ["one"]


def test_it_is_shown_as_a_dataclass_is() -> None:
    generated = repr(Generated("a'b", (1, 2)))
    assert repr(Shown("a'b", (1, 2))) == generated.replace("Generated", "Shown")
    assert str(Shown("x")) == "Shown(one='x', two=(), ignored=0, made={})"
    assert repr(Empty()) == "Empty()"


@PAIR
def test_objects_with_equal_fields_are_equal(kind: Callable[..., Any]) -> None:
    one, same = kind("x", (1,)), kind(two=(1,), one="x", ignored=5)
    assert one == same
    assert one != kind("x") and one != "x" and one != kind("x", (1,), "other")
    assert pickle.loads(pickle.dumps(one)) == one
    assert copy.deepcopy(one) == one


def test_equal_objects_have_equal_hashes() -> None:
    one, same = Named("x", (1,), made=Empty(), three=1), Named("x", (1,), made=Empty(), three=1)  # type: ignore[arg-type]
    assert hash(one) == hash(same)
    assert len({Empty(), Empty()}) == 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(Shown("x", made={}))


def test_objects_of_two_classes_are_not_equal() -> None:
    assert Shown("x") != Generated("x")
    assert Shown("x") != Named("x", three=1)


@PAIR
def test_fields_cannot_be_assigned_or_deleted(kind: Callable[..., Any]) -> None:
    one = kind("x")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'one'"):
        one.one = "y"
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'one'"):
        del one.one
    with pytest.raises(FrozenInstanceError):
        one.new = 1
    assert one == kind("x")


@PAIR
@pytest.mark.parametrize(
    ("args", "given"),
    [
        ((), {}),
        (("x",), {"one": "x"}),
        (("x",), {"other": 1}),
        ((), {"other": 1}),
        (("x", (), "", 0, {}, 6), {}),
        (("x", (), "", 0, {}), {"made": {}}),
    ],
)
def test_wrong_arguments_are_refused(
    kind: Callable[..., Any], args: tuple[Any, ...], given: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        kind(*args, **given)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(TypeError, match="Named misses the arguments 'one', 'three'"):
        Named()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Shown got an unexpected keyword argument 'tow'"):
        Shown("x", tow=())  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Shown got multiple values for argument 'one'"):
        Shown("x", one="x")  # type: ignore[misc]
    with pytest.raises(TypeError, match="Shown takes 5 positional arguments at most"):
        Shown("x", (), "", 0, {}, 6)  # type: ignore[call-arg]


def test_defaults_are_made_for_each_object() -> None:
    assert Shown("x").made == {} and Shown("x").made is not Shown("x").made


def test_inherited_fields_come_first_and_named_ones_are_no_positions() -> None:
    assert [each.name for each in fields(Named)] == [
        *(each.name for each in fields(Shown)),
        *("three", "four", "sum"),
    ]
    assert is_dataclass(Named)
    assert Named.__match_args__ == Shown.__match_args__  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        Named("x", (), "", 0, {}, 3)  # type: ignore[call-arg]


def test_fields_that_are_no_arguments_are_set_by_the_class() -> None:
    one = Named("x", (1, 2), three=3)
    assert one.sum == 5
    assert replace(one, three=4).sum == 6
    assert replace(one, one="y") == Named("y", (1, 2), three=3)


def test_patterns_match_by_position() -> None:
    match Shown("x", (1,)):
        case Shown(one, two):
            assert (one, two) == ("x", (1,))
        case _:
            pytest.fail("no match")


def test_variables_of_the_class_are_no_fields() -> None:
    one = Counted("x")
    assert vars(one) == {"one": "x"} and repr(one) == "Counted(one='x')"
    assert Counted.made == one.made == 3
    with pytest.raises(TypeError):
        Counted("x", made=4)  # type: ignore[call-arg]


def test_what_a_class_has_computed_changes_neither_equality_nor_copies() -> None:
    one, same = Counted("abc"), Counted("abc")
    assert one.length == 3
    assert one == same and hash(one) == hash(same)
    assert replace(one, one="x").length == 1
    for twin in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert twin == one and twin.length == 3


def test_a_class_without_the_decorator_has_the_fields_of_the_one_above() -> None:
    class Below(Counted):
        pass

    assert Below("x") == Below("x") != Counted("x")
    assert repr(Below("x")).endswith("Below(one='x')")


@dataclass
class Plain:
    one: str = ""


@pytest.mark.parametrize(
    ("bases", "members", "why"),
    [
        ((Record,), {"__init__": lambda _: None}, "other methods than those of Record"),
        ((Record,), {"__eq__": lambda *_: True}, "other methods than those of Record"),
        ((Record,), {"__hash__": lambda _: 0}, "other methods than those of Record"),
        ((Record,), {"__setattr__": lambda *_: None}, "other methods than those of Record"),
        ((Plain, Record), {}, "other methods than those of Record"),
        ((Plain,), {}, "other methods than those of Record"),
        ((Generated,), {}, "cannot inherit non-frozen dataclass from a frozen one"),
        ((Record,), {"two": field(hash=False)}, "two: Record does not support"),
        (
            (Record,),
            {"two": field(init=False, default_factory=int)},
            "two: Record does not support",
        ),
    ],
)
def test_classes_that_would_behave_otherwise_are_refused(
    bases: tuple[type, ...], members: dict[str, Any], why: str
) -> None:
    kind: Any = type("Other", bases, {"__annotations__": {"two": int}, **members})
    with pytest.raises(TypeError, match=why):
        record(kind)


def test_no_generated_class_inherits_from_one_with_shared_methods() -> None:
    with pytest.raises(TypeError, match="cannot inherit frozen dataclass"):
        dataclass(frozen=True)(type("Other", (Counted,), {}))
