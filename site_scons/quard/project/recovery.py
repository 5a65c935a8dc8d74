"""Making a package again, in the same run, if its result turns out to be lost when it is used.

A cache hit checks that its blobs exist, and a null build looks for few of them. So a blob can be
missing or damaged when another unit uses it, long after its package was found up to date.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Collection

from quard.base.errors import QuardError
from quard.ledger.results import LostResult, Result
from quard.plan.unit import Unit
from quard.project.build import BoardBuild

_MOST = 3
"""How often a run makes one package again: what is lost each time cannot be used here."""


class NotMadeAgain(Exception):
    """A package whose result is lost could not be made again, so that no dependant can be made."""

    def __init__(self, package: str, error: QuardError) -> None:
        super().__init__(error.message)
        self.package = package
        self.error = error


class Recovery:
    """Does the work of a run's targets; several threads may use it at once.

    unchanged -- ids of the units that the run makes only if an input is made again with another
                 result
    """

    def __init__(self, build: BoardBuild, unchanged: Collection[str] = ()) -> None:
        self._build = build
        self._lock = threading.RLock()
        self._settled = set(unchanged)
        self._made: list[str] = []
        self._tries: Counter[str] = Counter()
        self._failed: dict[str, NotMadeAgain] = {}

    def make(self, unit: Unit) -> None:
        """Make a unit, and once more if an input was made again, with another result, meanwhile.

        Raises QuardError, NotMadeAgain.
        """
        while True:
            before = len(self._made)
            self.run(functools.partial(self._build.make, unit))
            if before == len(self._made) or self._build.ledger.is_current(unit):
                break
        self._settled.add(unit.id)

    def run(self, work: Callable[[], None]) -> None:
        """Do some work; if it meets lost results, make these packages first.

        Raises QuardError, NotMadeAgain.
        """
        while True:
            before = len(self._made)
            try:
                work()
                return
            except LostResult as lost:
                self._recover(lost, before)

    def _recover(self, lost: LostResult, before: int) -> None:
        """Make a package again, unless another thread has done so, or has failed to.

        before -- number of packages made again when the work began that met the loss
        """
        unit, workspace = self._build.package(lost.package), self._build.workspace
        with self._lock:
            if unit.id in self._failed:
                raise self._failed[unit.id]
            if unit.id in self._made[before:]:
                return
            if self._tries[unit.id] == _MOST:
                raise lost
            self._tries[unit.id] += 1
            old = self._build.ledger.result(unit)
            workspace.console.warn(workspace.outputs.drop(lost))
            try:
                self._make_again(unit, old)
            except QuardError as error:
                workspace.host.stop.check()
                self._failed[unit.id] = NotMadeAgain(unit.name, error)
                raise self._failed[unit.id] from error

    def _make_again(self, unit: Unit, old: Result | None) -> None:
        """Make a unit, and what was already made of it if its result is another one now.

        Only a package whose build is not reproducible gives another result.
        """
        ledger = self._build.ledger
        self.make(unit)
        self._made.append(unit.id)
        now = ledger.result(unit)
        if old is None or now is None or old.parts == now.parts:
            return
        for other in tuple(ledger.units.values()):
            of_it = unit.id in {each.unit for each in other.inputs}
            if of_it and other.id in self._settled and not ledger.is_current(other):
                self._make_again(other, ledger.result(other))
