"""Which units SCons examines in a run."""

from __future__ import annotations

from quard.ledger.ledger import Ledger
from quard.plan.unit import Unit
from quard.project.build import BoardBuild

from .guard import Guard


class Selection:
    """The units of one run, divided into those that it may change and those that it cannot.

    wanted -- requested units, inputs first
    forced -- ids of units that are made even if they are up to date
    all_of_them -- SCons examines all of them, even those known to be up to date
    """

    def __init__(
        self,
        build: BoardBuild,
        wanted: tuple[Unit, ...],
        forced: frozenset[str],
        guard: Guard,
        *,
        all_of_them: bool,
    ) -> None:
        ledger = build.ledger
        self.wanted = wanted
        self.unchanged: frozenset[str] = frozenset()
        # Without its signatures SCons makes everything again: then no unit can be left out.
        if not all_of_them and guard.has_signatures:
            self.unchanged = ledger.unchanged(wanted, forced)
        self.changed = tuple(unit for unit in wanted if unit.id not in self.unchanged)
        self.outdated = forced.union(
            unit.id for unit in self.changed if self._is_outdated(unit, ledger)
        )

    def _is_outdated(self, unit: Unit, ledger: Ledger) -> bool:
        """Return whether a unit is made whatever SCons remembers of it.

        Its inputs cannot change any more, or no change of them would make its result valid.
        """
        settled = all(each.unit in self.unchanged for each in unit.inputs)
        return (settled and not ledger.is_current(unit)) or not ledger.may_stay(unit)
