"""Predicting what a build would do now, without building: for `./scons why` and -n."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from quard import sites
from quard.base import canonical
from quard.base.record import Record, record
from quard.ledger import listings, why
from quard.ledger.basis import as_before
from quard.ledger.results import made_from, read_record
from quard.plan import source
from quard.plan.unit import Input, Unit
from quard.project.build import BoardBuild

Action = Literal["none", "restore", "build", "maybe", "make"]


@record
class Expected(Record):
    """What would happen to a unit.

    action -- none; restore: from the store; build, or make for an image file; maybe: depends on
              the result of a package that must be built first
    why    -- what changed; for `maybe`, what it depends on
    archive -- of a package, for `none` and `restore`: what its result is made from, with file name,
               sha256 and the recipe's address; a build takes the first one that is available
    """

    name: str
    action: Action
    why: tuple[str, ...] = ()
    archive: Mapping[str, str] | None = None


class Forecast:
    """Predicts a build of one board.

    unfinished -- files that an interrupted build had begun to make
    signed     -- whether SCons' signatures are usable; if not, all comes from the store
    """

    def __init__(
        self,
        build: BoardBuild,
        unfinished: frozenset[Path],
        *,
        signed: bool,
    ) -> None:
        self._build = build
        self._ledger = build.ledger
        self._unfinished = unfinished
        self._signed = signed
        # Unit -> the digests of its parts; None if it must be made first. For a unit that was
        # not requested, they are those of its result.
        self._parts: dict[str, Mapping[str, str] | None] = {}

    def units(self, units: Iterable[Unit]) -> tuple[Expected, ...]:
        """Return what would happen to units; inputs come first."""
        return tuple(self._unit(unit) for unit in units)

    def _unit(self, unit: Unit) -> Expected:
        before = made_from(self._ledger.results(unit))
        found = self._ledger.result(unit)
        unsure = [each for each in unit.inputs if self._parts.get(each.unit, {}) is None]
        # An input that is not built yet is assumed to be unchanged.
        old = before["inputs"] if before else {}
        digests = {each.name: self._digest(each, old) for each in unit.inputs}
        same = found is not None and found.key == self._ledger.key(unit, digests)
        now = self._ledger.basis(unit, found, digests)
        reasons = () if same else self._reasons(unit, before, now)
        self._parts[unit.id] = None
        if unit.id in self._build.forced:
            return Expected(unit.name, "build", reasons or why.FORCED)
        if unsure:
            if same:
                return Expected(
                    unit.name, "maybe", tuple(dict.fromkeys(map(self._depends, unsure)))
                )
            return Expected(unit.name, "build" if unit.is_package else "make", reasons)
        if same and found and self._is_whole(unit):
            self._parts[unit.id] = found.parts
            return Expected(unit.name, "none", archive=self._archive(unit, None))
        if not unit.is_package:
            self._parts[unit.id] = None if unit.parts else {}
            return Expected(unit.name, "make", reasons or (self._broken(unit),))
        stored = self._ledger.stored(unit, self._ledger.basis(unit, None, digests))
        if stored is not None:
            interface = canonical.digest(stored.record["interface"])
            self._parts[unit.id] = {**stored.record["blobs"], "interface": interface}
            return Expected(unit.name, "restore", reasons, self._archive(unit, stored.record))
        return Expected(unit.name, "build", reasons or (why.MISSING,))

    def _reasons(
        self, unit: Unit, before: Mapping[str, Any] | None, now: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """Return why a unit would be made, with what changed in its overlays or local trees.

        A failed build leaves no result, so `now` may name another archive than the last result.
        """
        now = as_before(now, before, unit.plan.archives)
        if not unit.is_package:
            now = {**now, "listings": self._build.images.listings(unit)}
        elif before and (now["plan"]["tree"] or now["plan"].get("folders")):
            before = {**before, "listings": listings.kept(self._ledger.results(unit))}
            now = {**now, "listings": self._build.result_place(unit.name).listings()}
        return self._build.reasons(unit, before, now)

    def _digest(self, each: Input, old: Mapping[str, str]) -> str:
        if each.unit not in self._parts:
            return self._ledger.digest(each)
        parts = self._parts[each.unit]
        return old.get(each.name, "") if parts is None else parts[each.part]

    def _is_whole(self, unit: Unit) -> bool:
        """Return whether a build would use the result as it is."""
        targets = self._ledger.targets(unit)
        return self._signed and self._ledger.is_whole(unit) and self._unfinished.isdisjoint(targets)

    def _broken(self, unit: Unit) -> str:
        """Return why a file is made although its unit has not changed."""
        there = all(path.exists() for path in self._ledger.files(unit))
        return "it was not finished" if there else "it is missing"

    def _archive(self, unit: Unit, record: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return what a package was made from, from its record.

        The archive, with its address in the recipe; or binary packages below "origins".
        """
        if not unit.is_package:
            return None
        known = record or read_record(self._ledger.results(unit))
        if "origins" in known:
            return {"origins": known["origins"]}
        found = known.get("archive")
        if not isinstance(found, dict):
            return None
        trees = self._build.workspace.trees.sites
        package = self._build.roots[unit.folder].packages[unit.package]
        for request in source.requests(unit.package, package.recipe):
            if request.into == source.TOP and (variant := request.variant(found["sha256"])):
                return {**found, "address": sites.expand(variant.addresses[0], trees)[0]}
        return found

    def _depends(self, each: Input) -> str:
        """Return the condition for rebuilding a unit."""
        name = self._ledger.units[each.unit].name
        if each.part == "interface":
            return f"if the interface of {name} changes"
        return f"if {name} changes" if each.part == "tar" else f"if the files of {name} change"
