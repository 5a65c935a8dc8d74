"""A unit: one thing that is made, with its plan and the parts of other units that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

PACKAGE_PARTS = ("interface", "runtime")
"""Parts of every package that other units are made of; some have `deploy` besides."""


class UnitPlan(Protocol):
    """What is done to make a unit, as pure data."""

    @property
    def identity(self) -> str:
        """SHA-256 of the canonical instructions."""

    @property
    def archives(self) -> tuple[str, ...]:
        """The archives that a result may be made from, the best first; "" stands for none."""

    def instructions(self) -> dict[str, Any]:
        """Return all that decides what is made of the inputs."""


@dataclass(frozen=True)
class Input:
    """A part of another unit.

    unit -- its id
    part -- as in `Unit.parts`
    """

    unit: str
    part: str

    @property
    def name(self) -> str:
        """Its name in keys, which say nothing of boards: equal plans are built once."""
        return f"{local(self.unit)}:{self.part}"


@dataclass(frozen=True)
class Unit:
    """One thing that is made.

    id     -- of a package NAME@CONFIG, of what a board has one of BOARD/NAME
    inputs -- parts of other units, in the order in which people are told of them
    parts  -- named outputs, of which the result gives a digest each
    files  -- of what belongs to the images: the files that lie in their folder
    listings -- for people, to tell what changed in a digest of the plan: name -> path -> what it is
    """

    id: str
    plan: UnitPlan
    inputs: tuple[Input, ...]
    parts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    listings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it."""
        return local(self.id)

    @property
    def is_package(self) -> bool:
        return not self.files


def package_id(name: str, configuration: str) -> str:
    """Return the id of a package.

    A configuration is a target, a toolchain, flags, features and fragments; a board has one.
    """
    return f"{name}@{configuration}"


def board_id(name: str, board: str) -> str:
    """Return the id of what a board has one of."""
    return f"{board}/{name}"


def local(unit: str) -> str:
    """Return a unit's name without its board or configuration."""
    return unit.partition("@")[0] if "@" in unit else unit.partition("/")[2]
