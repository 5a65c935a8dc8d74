"""A unit: one thing that is made, with its plan and its inputs, which are parts of other units."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from quard.base.record import Record, record
from quard.boards.native import NAME as BUILD

LIBS, PROGRAMS = "libs", "programs"
_NATIVE = f"@{BUILD}"
TARGET_PARTS = (LIBS, PROGRAMS)
"""Parts of every package with files for the target; a recipe may name further ones."""


class UnitPlan(Protocol):
    """All that is done to make a unit, as pure data."""

    @property
    def identity(self) -> str:
        """SHA-256 of the canonical instructions."""

    @property
    def archives(self) -> tuple[str, ...]:
        """Digests of the archives that a result may be made from, the best first; "": none."""

    @property
    def made_by(self) -> tuple[str, ...]:
        """Names of the tools that are part of a result's key besides those that all units use."""

    @property
    def called(self) -> tuple[str, ...] | None:
        """Commands that scripts of the board call, besides the common ones, while an image is made;
        None: there are no such scripts.
        """

    def instructions(self) -> dict[str, Any]:
        """Return everything that decides what is made from the inputs."""


@record
class Input(Record):
    """A part of another unit.

    unit -- id of that unit
    part -- one of its `Unit.parts`
    """

    unit: str
    part: str

    @property
    def name(self) -> str:
        """Its name in keys. It names no configuration, so that equal plans are built once, but
        tells a package for the build machine from that for the target.
        """
        name = self.unit if self.unit.endswith(_NATIVE) else local(self.unit)
        return f"{name}:{self.part}"


@record
class Unit(Record):
    """One thing that is made.

    id     -- NAME@CONFIG for a package, BOARD/NAME for a unit of a board
    inputs -- parts of other units, in the order of reports to users
    parts  -- named outputs; the result has a digest for each
    files  -- files of the unit in the images folder; empty for a package
    folder -- of the root that it belongs to, inside the board's folders; "" for the board's own
    """

    id: str
    plan: UnitPlan
    inputs: tuple[Input, ...]
    parts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    folder: str = ""

    @property
    def name(self) -> str:
        """The name that users see, unique on a board: that of a root's package is ROOT/NAME."""
        return qualified(self.folder, local(self.id)) if self.is_package else local(self.id)

    @property
    def package(self) -> str:
        """The name of a package, in whatever configuration."""
        return local(self.id)

    @property
    def anywhere(self) -> str:
        """The name of a package whose builds on other boards are similar."""
        return qualified(BUILD, self.package) if self.native else self.package

    @property
    def native(self) -> bool:
        """Whether it is a package for the build machine."""
        return self.id.endswith(_NATIVE)

    @property
    def is_package(self) -> bool:
        return not self.files


def target_parts(names: Iterable[str]) -> tuple[str, ...]:
    """Return the parts with files for the target of a package whose recipe names these parts."""
    return (*TARGET_PARTS, *sorted({*names}.difference(TARGET_PARTS)))


def package_id(name: str, configuration: str) -> str:
    """Return the id of a package; a board has a configuration for each of its roots."""
    return f"{name}@{configuration}"


def board_id(name: str, board: str) -> str:
    """Return the id of a unit of a board."""
    return f"{board}/{name}"


def local(unit: str) -> str:
    """Return a unit's name without its board or configuration."""
    return unit.partition("@")[0] if "@" in unit else unit.partition("/")[2]


def shown(name: str) -> str:
    """Return the name for users of a package in `Input.name`."""
    return qualified(BUILD, local(name)) if name.endswith(_NATIVE) else name


def qualified(folder: str, name: str) -> str:
    """Return the name for users of a package, or of a file, of the root with this folder."""
    return f"{folder}/{name}" if folder else name


def parted(name: str) -> tuple[str, str]:
    """Return the root and the name of a package that a user named: NAME or ROOT/NAME."""
    root, _, package = name.rpartition("/")
    return root, package
