"""The plans of a product tree as files, which its repository keeps in a folder `golden`.

BOARD.json has the units of a board of the tree, and BOARD/NAME.json the plan of each package on it;
packages of a named root are in BOARD/ROOT, those for the build machine in BOARD/build. For each
package of the tree, BOARD/NAME.FEATURE-on.json or -off.json is the other branch of a feature.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from planned import Planned

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import listed
from quard.boards import board
from quard.boards.board import Board
from quard.boards.trees import Trees
from quard.face.cli import DEFAULT_BOARD
from quard.plan.plan import Plan
from quard.plan.unit import Unit


class TreePlans:
    """The files of one product tree.

    name -- that of the tree, which is one of `trees`
    """

    def __init__(self, trees: Trees, name: str) -> None:
        self.name = name
        self.folder = trees.products[name]
        self._planned = Planned(trees)
        self._boards: dict[str, Board] = {}
        self._units: dict[str, Mapping[str, Unit]] = {}

    @property
    def boards(self) -> tuple[str, ...]:
        """The names of the tree's boards, sorted."""
        return tuple(
            name.removesuffix(".toml") for name in sorted(listed(self.folder / "configs", ".toml"))
        )

    def all(self) -> dict[str, str]:
        """Return all files, by their paths below the folder. Raises QuardError."""
        found = self.of_packages()
        for name in self.boards:
            found |= self.of_board(name)
        return found

    def of_board(self, name: str) -> dict[str, str]:
        """Return the files of one of the tree's boards, by their paths. Raises QuardError."""
        units = self._of(name)
        rows = {unit.id: row(unit) for unit in units.values()}
        found = {f"{name}.json": canonical.readable(rows)}
        plans = ((each.name, each.plan) for each in units.values() if each.is_package)
        return found | {f"{name}/{each}.json": _text(plan) for each, plan in plans}

    def of_packages(self) -> dict[str, str]:
        """Return the files of the tree's packages that those of its boards do not have.

        These are the other branches of features, and packages that no board of the tree has.
        Raises QuardError.
        """
        found: dict[str, str] = {}
        for name in self._packages:
            place = next((each for each in self.boards if self._has(each, name)), "")
            if not place:
                place = self._board_for(name)
                found[f"{place}/{name}.json"] = _text(self._plan(place, name))
            for feature, on in self._plan(place, name).features:
                path = f"{place}/{name}.{feature}-{'off' if on else 'on'}.json"
                found[path] = self._branch(place, name, feature, on="off" if on else "on")
        return found

    @cached_property
    def _packages(self) -> tuple[str, ...]:
        catalog = self._planned.catalog
        return tuple(n for n in catalog.names() if catalog[n].tree == self.name)

    def _board(self, name: str) -> Board:
        if name not in self._boards:
            self._boards[name] = board.load(self._planned.trees, name)
        return self._boards[name]

    def _of(self, name: str) -> Mapping[str, Unit]:
        """Return the units of a board."""
        if name not in self._units:
            self._units[name] = self._planned.units(self._board(name))
        return self._units[name]

    def _has(self, name: str, package: str) -> bool:
        """Return whether the own root of a board has a package."""
        return any(unit.name == package for unit in self._of(name).values())

    def _board_for(self, package: str) -> str:
        """Return the first board that can have a package: one of the tree's if there is one."""
        trees = self._planned.trees
        for name in (*self.boards, trees.board or DEFAULT_BOARD, *board.names(trees)):
            if self._planned.can_have(self._board(name), package):
                return name
        raise QuardError(
            f"there is no plan of {package}: it is for the target of no board",
            reason="not-for-target",
            hint="add a board for its target",
        )

    def _plan(self, place: str, package: str, **changes: Any) -> Plan:
        chosen = dataclasses.replace(self._board(place), **changes)
        return self._planned.resolved(chosen, [("", package)])[""].plans[package]

    def _branch(self, place: str, package: str, feature: str, *, on: str) -> str:
        """Return the plan with one feature set otherwise; or why the board cannot have that."""
        features = {**self._board(place).features, (package, feature): on}
        try:
            return _text(self._plan(place, package, features=features))
        except QuardError as error:
            return canonical.readable({"refused": error.message, "reason": error.reason})


def row(unit: Unit) -> dict[str, Any]:
    """Return a unit for the file of its board; the plans of packages have files of their own."""
    found: dict[str, Any] = {
        "inputs": [f"{each.unit}:{each.part}" for each in unit.inputs],
        "parts": unit.parts,
    }
    if not unit.is_package:
        found |= {"files": unit.files, "plan": unit.plan.instructions()}
    return found


def _text(plan: Any) -> str:
    return canonical.readable(plan.as_json())
