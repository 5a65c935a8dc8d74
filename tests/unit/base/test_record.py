"""quard.base.record: the representation of dataclasses, the same as the generated one."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field

from quard.base.record import Record


@dataclass(frozen=True, repr=False)
class Shown(Record):
    one: str
    two: tuple[int, ...] = ()
    hidden: str = field(default="secret", repr=False)


@dataclass(frozen=True)
class Generated:
    one: str
    two: tuple[int, ...] = ()
    hidden: str = field(default="secret", repr=False)


def test_it_is_what_a_dataclass_generates() -> None:
    generated = repr(Generated("a'b", (1, 2)))
    assert repr(Shown("a'b", (1, 2))) == generated.replace("Generated", "Shown")
    assert str(Shown("x")) == "Shown(one='x', two=())"


def test_objects_are_equal_hashed_and_pickled_as_before() -> None:
    one, same = Shown("x", (1,)), Shown("x", (1,))
    assert one == same and hash(one) == hash(same) and one != Shown("x")
    assert pickle.loads(pickle.dumps(one)) == one
