"""One text per value: the ground that identities stand on."""

from __future__ import annotations

import hashlib
import json
import os
import random
from typing import Any

import pytest

from quard.base.canonical import canonical, digest, lines, readable, sealed, typed_digest, unsealed

LEAVES: tuple[Any, ...] = (None, True, False, 0, 1, -1, 10**20, "", "1", "a", "ä", '"\\\n', "true")


def value(random_: random.Random, depth: int) -> Any:
    """Return a small value; the choices are few, so that equal ones come up often."""
    kind = random_.randrange(4) if depth else 0
    size = random_.randrange(3)
    if kind == 1:
        return [value(random_, depth - 1) for _ in range(size)]
    if kind == 2:
        return tuple(value(random_, depth - 1) for _ in range(size))
    if kind == 3:
        keys = random_.sample(("a", "b", "c"), size)
        return {key: value(random_, depth - 1) for key in keys}
    return random_.choice(LEAVES)


def shape(item: Any) -> Any:
    """Return what makes a value itself, by other means than JSON: types apart, lists as tuples."""
    if isinstance(item, list | tuple):
        return ("list", *(shape(part) for part in item))
    if isinstance(item, dict):
        return ("dict", frozenset((key, shape(part)) for key, part in item.items()))
    return (type(item).__name__, item)


def test_equal_values_have_equal_texts_and_different_values_different_ones() -> None:
    random_ = random.Random(2)
    values = [value(random_, 2) for _ in range(600)]
    texts: dict[str, Any] = {}
    shapes: dict[Any, str] = {}
    for item in values:
        text, own = canonical(item), shape(item)
        assert texts.setdefault(text, own) == own
        assert shapes.setdefault(own, text) == text
    assert 100 < len(texts) < 600


def test_the_text_reads_back_as_the_value() -> None:
    random_ = random.Random(3)
    for _ in range(200):
        item = value(random_, 3)
        assert shape(json.loads(canonical(item))) == shape(item)
        assert shape(json.loads(readable(item))) == shape(item)


def test_the_order_of_keys_does_not_matter() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == '{"a":{"c":3,"d":2},"b":1}'


def test_true_and_one_and_their_texts_are_three_values() -> None:
    assert len({canonical(True), canonical(1), canonical("1"), canonical("true")}) == 4


@pytest.mark.parametrize(
    "item", [1.5, float("nan"), {1, 2}, b"bytes", object(), {1: "x"}, {None: 1}, [[{"a": 0.5}]]]
)
def test_what_has_no_single_text_is_refused_at_any_depth(item: Any) -> None:
    for show in (canonical, digest, readable):
        with pytest.raises(TypeError):
            show(item)


def test_the_digest_is_the_sha256_of_the_text() -> None:
    item = {"name": "ä", "list": [1, True, None]}
    assert digest(item) == hashlib.sha256('{"list":[1,true,null],"name":"ä"}'.encode()).hexdigest()


@pytest.mark.parametrize("item", [*LEAVES, [1, ("a", None)], {"b": {"a": True}, "a": [{}]}])
def test_both_digests_are_equal(item: Any) -> None:
    assert typed_digest(item) == digest(item)


def test_the_readable_form_is_sorted_and_ends_its_last_line() -> None:
    assert readable({"b": (), "a": "ä"}) == '{\n  "a": "ä",\n  "b": []\n}\n'


def test_the_lines_are_sorted_and_one_for_each_key() -> None:
    item = {"b": [1, {"d": None, "c": True}], "a": "ä"}
    assert lines(item) == '{"a": "\\u00e4",\n"b": [1, {"c": true, "d": null}]}\n'
    assert json.loads(lines(item)) == item
    assert lines({}) == "{}\n"


def test_a_seal_gives_the_value_back_also_with_names_that_are_no_text() -> None:
    item = {"b": [1, True, None], "a": "ä", "name": os.fsdecode(b"\xff")}
    text = sealed(item)
    assert text.isascii() and text.endswith("}\n")
    assert unsealed(text.encode()) == item
    assert json.loads(text).keys() == {*item, "seal"}


@pytest.mark.parametrize("item", [{}, {"seal": "its own"}, {"a": '\n"seal": "'}, {"a": {}}])
def test_a_seal_fits_any_mapping(item: dict[str, Any]) -> None:
    assert unsealed(sealed(item).encode()) == item


def test_a_text_that_is_not_what_was_sealed_gives_nothing() -> None:
    text = sealed({"name": "one", "list": [1, 2]}).encode()
    for end in range(len(text) - 1):
        assert unsealed(text[:end]) is None
    for place, byte in enumerate(text):
        assert unsealed(text[:place] + b"7"[: byte != ord("7")] + text[place + 1 :]) is None
    for other in (b"", b"[]", b"null", b"7", b"{}", b"\xff", b"[" * 100_000, b'{"seal": 1e999}'):
        assert unsealed(other) is None
