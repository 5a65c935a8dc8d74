"""The results of a board's units, and whether each is up to date."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from quard.ledger.basis import basis, key_of
from quard.ledger.results import Result, Results, made_from, read_result
from quard.ledger.stored import Stored, stored
from quard.plan.unit import Input, Unit
from quard.store.stores import Stores

RESULTS = "units"
"""Folder of the result files, in the board's folder."""
IMAGES = "images"
"""Its subfolder for the results of images."""


class Executor(Protocol):
    """What executes plans on this machine, as far as it is part of keys."""

    def builds_with(self, commands: tuple[str, ...], *, native: bool) -> str:
        """Return the identity of the tools that build a package.

        commands -- those that it calls besides the common ones, see `UnitPlan.made_by`
        native   -- it is built for the build machine
        """

    def takes(self, unit: Unit) -> str:
        """Return the identity of the machine's files that a package installs.

        Empty if it installs none, or if its tools are pinned: they are part of their identity then.
        """

    @property
    def seals(self) -> bool:
        """Whether builds are sealed here."""

    def tool(self, name: str) -> str:
        """Return the identity of a tool that makes images, see `UnitPlan.made_by`."""


class Ledger:
    """The results of one board.

    folder -- of the result files
    images -- folder of the image files
    units  -- by id, inputs first
    """

    def __init__(
        self,
        folder: Path,
        images: Path,
        units: Mapping[str, Unit],
        stores: Stores,
        executor: Executor,
    ) -> None:
        self.units = dict(units)
        self._folder = folder
        self._images = images
        self._stores = stores
        self._executor = executor
        self._known: dict[str, Result | None] = {}

    def results(self, unit: Unit) -> Results:
        """Return the paths of a unit's result files."""
        return Results(self._folder, unit.name if unit.is_package else f"{IMAGES}/{unit.name}")

    def files(self, unit: Unit) -> tuple[Path, ...]:
        """Return the files of a unit in the images' folder."""
        return tuple(self._images / name for name in unit.files)

    def targets(self, unit: Unit) -> tuple[Path, ...]:
        """Return the files that a build system watches, the result file first."""
        return (self.results(unit).result, *self.files(unit))

    def result(self, unit: Unit) -> Result | None:
        """Return a unit's result, as this run first found it or has made it."""
        if unit.id not in self._known:
            self._known[unit.id] = read_result(self.results(unit))
        return self._known[unit.id]

    def made(self, unit: Unit) -> None:
        """Note that a unit's result has just been written or removed."""
        self._known.pop(unit.id, None)

    def forget(self, unit: Unit) -> None:
        """Remove a unit's result, so that it must be made before it is used."""
        self.results(unit).result.unlink(missing_ok=True)
        self.made(unit)

    def digest(self, each: Input) -> str:
        """Return the digest of an input from its unit's result; "" if there is none."""
        found = self.result(self.units[each.unit])
        return found.parts.get(each.part, "") if found else ""

    def basis(
        self,
        unit: Unit,
        found: Result | None = None,
        digests: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return what a unit would be made from now.

        found   -- the present result: the basis takes over its archive and seal if they are
                   accepted, else it has the first archive and is sealed if builds are
        digests -- of the inputs by name, if not those of the present results
        """
        return basis(
            unit,
            self._digests(unit) if digests is None else digests,
            self._by(unit, found),
            _archive(unit, found),
        )

    def key(self, unit: Unit, digests: Mapping[str, str] | None = None) -> str:
        """Return the key that a unit's result carries if it is up to date.

        Of all valid keys, this is the one with the archive and the seal of the present result.

        digests -- of the inputs by name, if not those of the present results
        """
        found = self.result(unit)
        return key_of(
            unit,
            self._digests(unit) if digests is None else digests,
            self._by(unit, found),
            _archive(unit, found),
        )

    def _digests(self, unit: Unit) -> dict[str, str]:
        return {each.name: self.digest(each) for each in unit.inputs}

    def signature(self, unit: Unit) -> str:
        """Return what SCons compares for a unit after its inputs were made.

        Unlike the key, it has no archive and no seal. A unit whose result may not stay is made
        without being compared.
        """
        by = self._by(unit, None)
        by.pop("sealed", None)
        return key_of(unit, self._digests(unit), by, "")

    def is_current(self, unit: Unit) -> bool:
        """Return whether a unit is up to date: its result has the right key and is complete."""
        return self._has_key(unit) and self.is_whole(unit)

    def _has_key(self, unit: Unit) -> bool:
        found = self.result(unit)
        return found is not None and _has_parts(found, unit) and found.key == self.key(unit)

    def may_stay(self, unit: Unit) -> bool:
        """Return whether a result is valid if its inputs turn out to be what it was made from."""
        found, made = self.result(unit), made_from(self.results(unit))
        if found is None or made is None or not self.is_whole(unit):
            return False
        if not _has_parts(found, unit):
            return False
        digests = {each.name: made["inputs"].get(each.name, "") for each in unit.inputs}
        return found.key == self.key(unit, digests)

    def is_whole(self, unit: Unit) -> bool:
        """Return whether everything that a unit's result names exists."""
        if self.result(unit) is None:
            return False
        return self._has_files(unit) and not self._stores.missing(self._blobs(unit))

    def _has_files(self, unit: Unit) -> bool:
        return all(path.exists() for path in self.files(unit))

    def _blobs(self, unit: Unit) -> tuple[str, ...]:
        """Return the digests of the blobs that a unit's result names; images have files instead."""
        found = self.result(unit) if unit.is_package else None
        if found is None:
            return ()
        return tuple(digest for part, digest in found.parts.items() if part != "interface")

    def unchanged(self, units: Iterable[Unit], forced: Collection[str]) -> frozenset[str]:
        """Return the ids of the units that this run cannot change; inputs come first.

        forced -- ids of units that are made even if they are up to date
        """
        # All stores are asked once for all blobs, and only for those whose units may stay.
        valid = _settled(units, lambda unit: unit.id not in forced and self._has_key(unit))
        missing = self._stores.missing(blob for unit in valid for blob in self._blobs(unit))
        whole = _settled(
            valid, lambda unit: self._has_files(unit) and missing.isdisjoint(self._blobs(unit))
        )
        return frozenset(unit.id for unit in whole)

    def stored(self, unit: Unit, now: Mapping[str, Any]) -> Stored | None:
        """Return what the stores have for a unit made from `now`."""
        return next(stored(self._stores, now, unit.plan.archives, unit.parts), None)

    def _by(self, unit: Unit, found: Result | None) -> dict[str, Any]:
        """Return what executes a unit; a sealed result stays valid where builds are not sealed."""
        if not unit.is_package:
            by: dict[str, Any] = {n: self._executor.tool(n) for n in unit.plan.made_by}
            if (called := unit.plan.called) is not None:
                by["toolchain"] = self._executor.builds_with(called, native=False)
                by["sealed"] = self._executor.seals
            return by
        sealed = bool(found and found.sealed) or self._executor.seals
        tools = self._executor.builds_with(unit.plan.made_by, native=unit.native)
        by = {"toolchain": tools, "sealed": sealed}
        if files := self._executor.takes(unit):
            by["taken"] = files
        return by


def _has_parts(found: Result, unit: Unit) -> bool:
    """Return whether a result has what others use of its unit; that of another version may not."""
    return found.parts.keys() >= {*unit.parts}


def _settled(units: Iterable[Unit], stays: Callable[[Unit], bool]) -> list[Unit]:
    """Return the units that stay and whose inputs all do: a unit that changes may change others."""
    ids: set[str] = set()
    found = []
    for unit in units:
        if all(each.unit in ids for each in unit.inputs) and stays(unit):
            ids.add(unit.id)
            found.append(unit)
    return found


def _archive(unit: Unit, found: Result | None) -> str:
    """Return the archive of a result if it is accepted, else the first accepted one."""
    archives = unit.plan.archives
    return found.archive if found and found.archive in archives else archives[0]
