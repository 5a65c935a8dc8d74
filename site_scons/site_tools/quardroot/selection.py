"""Which units SCons examines in a run, and what it learns about each."""

from __future__ import annotations

from collections.abc import Callable

import SCons.Node
import SCons.SConsign

from quard.ledger.ledger import Ledger
from quard.plan.unit import Unit
from quard.project.build import BoardBuild

from .guard import Guard, is_dry


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


def sign_what_was_made(guard: Guard, warn: Callable[[str], None]) -> None:
    """Let SCons write its signature file only in a run that makes something.

    By default SCons writes it whenever it has examined a file: with the same content, which the
    guard then hashes again. If the file cannot be written, the next run only has no record of
    this one; `warn` reports that.
    """
    plain = SCons.SConsign.write

    def write() -> None:
        if is_dry():
            return  # otherwise the next run would take unmade targets for up to date
        looked_at = (n for file in SCons.SConsign.sig_files for n in file.to_be_merged.values())
        if guard.began or any(n.get_state() != SCons.Node.up_to_date for n in looked_at):
            try:
                plain()
            except OSError as error:
                for database in SCons.SConsign.DB_sync_list:
                    database._needs_sync = False  # otherwise it tries again when Python exits
                guard.unsigned()
                warn(f"{guard.sconsign.name} cannot be written: {error.strerror}")

    SCons.SConsign.write = write
