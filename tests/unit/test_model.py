"""The recipe's words: frozen, told apart by type, their placeholders known to the plan."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from quard import model
from quard.base.placeholders import LATE, PLACEHOLDERS

CLASSES = sorted(
    (
        value
        for value in vars(model).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value)
    ),
    key=lambda kind: kind.__name__,
)
STYLES = [kind for kind in CLASSES if issubclass(kind, model.Recipe)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_is_frozen(kind: Any) -> None:
    one = object.__new__(kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "other"


@pytest.mark.parametrize("kind", STYLES, ids=lambda kind: kind.__name__)
def test_every_field_of_a_recipe_is_given_by_name_and_described(kind: Any) -> None:
    documents = " ".join(base.__doc__ or "" for base in kind.__mro__)
    for field in dataclasses.fields(kind):
        assert field.kw_only
        assert re.search(rf"\b{field.name}\s+--", documents), field.name


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_default_can_be_changed(kind: Any) -> None:
    for field in dataclasses.fields(kind):
        assert field.default_factory is dataclasses.MISSING
        if field.default is not dataclasses.MISSING:
            hash(field.default)


def test_a_run_is_its_argument_vector_and_still_no_plain_tuple() -> None:
    run = model.Run("make", "all")
    assert tuple(run) == ("make", "all")
    assert isinstance(run, model.Run)
    assert not hasattr(run, "__dict__")


def test_the_late_placeholders_are_known_ones() -> None:
    assert set(LATE) < set(PLACEHOLDERS)
