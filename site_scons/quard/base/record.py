"""Frozen dataclasses that Python need not compile methods for.

`dataclasses.dataclass` writes the source of `__init__`, `__eq__` and others for each class, and
compiles it whenever Python starts: for the classes that a null build loads, these take an eighth of
its time. `record` only lets it collect the fields; the methods are those of the base `Record`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    NamedTuple,
    NoReturn,
    TypeVar,
    dataclass_transform,
    overload,
)

_Class = TypeVar("_Class", bound="type[Record]")
_METHODS = attrgetter("__init__", "__eq__", "__hash__", "__setattr__", "__delattr__")
"""Those that no class may replace: others, and the generated ones of a plain dataclass, would give
its objects other fields, or other equality, than it says."""

_SPECIAL = ("ClassVar", "InitVar", "KW_ONLY")
"""What a type names if dataclasses has to look at it."""


class _Layout(NamedTuple):
    """What the methods know of a class.

    template  -- name -> default of all fields of `__init__`, in order; MISSING without one
    positions -- names of the positional arguments
    required  -- names without a default
    factories -- name -> function that returns the default
    key       -- returns what an object is compared and hashed by
    """

    template: dict[str, Any]
    positions: tuple[str, ...]
    required: tuple[str, ...]
    factories: dict[str, Callable[[], Any]]
    key: Callable[[Any], object]


class Record:
    """A base of classes with the decorator `record`; its methods do what generated ones would."""

    __slots__ = ()
    if TYPE_CHECKING:  # who asks for the types of a class's fields shall not find these
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
        _layout: ClassVar[_Layout]

    def __init__(self, *args: Any, **given: Any) -> None:
        layout = self._layout
        values = layout.template.copy()
        if args:
            values.update(zip(layout.positions, args, strict=False))
        values.update(given)
        if layout.factories:
            for name, factory in layout.factories.items():
                if values[name] is MISSING:
                    values[name] = factory()
        twice = args and given and not given.keys().isdisjoint(layout.positions[: len(args)])
        if twice or len(args) > len(layout.positions) or len(values) > len(layout.template):
            self._refuse(args, given)
        for name in layout.required:
            if values[name] is MISSING:
                self._refuse(args, given)
        self.__dict__.update(values)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Set the fields that are no arguments, if the class has any."""

    def _refuse(self, args: tuple[Any, ...], given: dict[str, Any]) -> NoReturn:
        """Raise TypeError for wrong arguments."""
        layout, kind = self._layout, type(self).__qualname__
        if len(args) > len(layout.positions):
            raise TypeError(f"{kind} takes {len(layout.positions)} positional arguments at most")
        for name in given:
            if name not in layout.template:
                raise TypeError(f"{kind} got an unexpected keyword argument {name!r}")
            if name in layout.positions[: len(args)]:
                raise TypeError(f"{kind} got multiple values for argument {name!r}")
        there = {*layout.positions[: len(args)], *given}
        missing = [repr(name) for name in layout.required if name not in there]
        raise TypeError(f"{kind} misses the arguments {', '.join(missing)}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        key = self._layout.key
        return key(self) == key(other)

    def __hash__(self) -> int:
        return hash(self._layout.key(self))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def __repr__(self) -> str:
        shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"


@overload
def record(kind: _Class, /) -> _Class: ...


@overload
def record(*, kw_only: bool = False) -> Callable[[_Class], _Class]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def record(
    kind: _Class | None = None, /, *, kw_only: bool = False
) -> _Class | Callable[[_Class], _Class]:
    """Make a class, which inherits from Record, a frozen dataclass.

    Raises TypeError for what the methods of Record do not support: a class that has one of them
    from elsewhere, field(hash=...), and field(init=False) with a default_factory. Nor do they pass
    InitVar to __post_init__.
    """
    if kind is None:
        return lambda kind: _made(kind, kw_only=kw_only)
    return _made(kind, kw_only=kw_only)


def _made(kind: _Class, *, kw_only: bool) -> _Class:
    types = kind.__annotations__
    kind.__annotations__ = {name: _looked_at(written) for name, written in types.items()}
    dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(kind)
    kind.__annotations__ = types
    if _METHODS(kind) != _METHODS(Record):
        raise TypeError(f"{kind.__qualname__} has other methods than those of Record")
    template: dict[str, Any] = {}
    factories: dict[str, Callable[[], Any]] = {}
    positions, required, compared = [], [], []
    for each in fields(kind):
        name, factory = each.name, each.default_factory
        each.type = types.get(name, each.type)
        if each.hash is not None or (factory is not MISSING and not each.init):
            raise TypeError(f"{kind.__qualname__}.{name}: Record does not support such a field")
        if each.compare:
            compared.append(name)
        if not each.init:
            continue
        template[name] = each.default
        if not each.kw_only:
            positions.append(name)
        if factory is not MISSING:
            factories[name] = factory
        elif each.default is MISSING:
            required.append(name)
    key = attrgetter(*compared) if compared else type
    kind._layout = _Layout(template, tuple(positions), tuple(required), factories, key)
    return kind


def _looked_at(written: object) -> object:
    """Return what dataclasses gets in place of a type.

    It matches each type that is a text with a pattern, three times, to find what is no field.
    """
    plain = isinstance(written, str) and not any(word in written for word in _SPECIAL)
    return object if plain else written
