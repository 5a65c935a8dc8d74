"""Testing whether a value has an annotated type, nested to any depth."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Test = Callable[[Any], bool]


@cache
def field_tests(kind: Any) -> dict[str, Test]:
    """Return the test of each annotated field of a class, including inherited fields."""
    return {name: fits(annotation) for name, annotation in get_type_hints(kind).items()}


@cache
def fits(annotation: Any) -> Test:
    """Return a function that tests whether a value has a type.

    `tuple` accepts only plain tuples: a class derived from `tuple[X, ...]` is a type of its own,
    whose items are tested as well. True is not a number.
    Raises TypeError for an annotation that cannot be tested.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return lambda value: any(type(value) is type(one) and value == one for one in arguments)
    if origin in (Union, types.UnionType):
        return _any([fits(one) for one in arguments])
    if origin is tuple:
        items = _items(arguments)
        return lambda value: type(value) is tuple and items(value)
    if origin is dict:
        key, content = fits(arguments[0]), fits(arguments[1])
        return lambda value: (
            type(value) is dict
            and all(map(key, value))
            and all(content(inner) for inner in value.values())
        )
    if annotation is Any or not isinstance(annotation, type):
        raise TypeError(f"cannot check values against {annotation!r}")
    for base in getattr(annotation, "__orig_bases__", ()):
        if get_origin(base) is tuple:
            inner = _items(get_args(base))
            return lambda value: (
                isinstance(value, tuple) and type(value) is annotation and inner(value)
            )
    if annotation in (str, int, bool, type(None)):
        return lambda value: type(value) is annotation
    return lambda value: isinstance(value, annotation)


def _any(tests: list[Test]) -> Test:
    return lambda value: any(test(value) for test in tests)


def _items(arguments: tuple[Any, ...]) -> Callable[[Iterable[Any]], bool]:
    """Return the test of a tuple's items: one type for any number (`...`), or one type for each."""
    if len(arguments) == 2 and arguments[1] is ...:
        each = fits(arguments[0])
        return lambda value: all(map(each, value))
    tests = [fits(one) for one in arguments]
    return lambda value: (
        len(items := tuple(value)) == len(tests)
        and all(test(item) for test, item in zip(tests, items, strict=True))
    )
