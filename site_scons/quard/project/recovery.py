"""Making a package again, in the same run, if its result turns out to be lost when it is used.

A cache hit checks that its blobs exist, and a null build looks for few of them. So a blob can be
missing or damaged when another unit uses it, long after its package was found up to date.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable

from quard.ledger.results import LostResult, Result
from quard.plan.unit import Unit
from quard.project.build import BoardBuild

_MOST = 3
"""How often a run makes one package again: what is lost each time cannot be used here."""


class NotMadeAgain(Exception):
    """A package whose result is lost could not be made again, so that no dependant can be made."""

    def __init__(self, package: str, error: Exception) -> None:
        super().__init__(str(error))
        self.package = package
        self.error = error


class Recovery:
    """Does the work of a run's targets; several threads may use it at once.

    is_done -- returns whether the run has found a unit up to date, or has made it: it will not make
               it any more by itself
    """

    def __init__(self, build: BoardBuild, is_done: Callable[[Unit], bool]) -> None:
        self._build = build
        self._is_done = is_done
        self._lock = threading.RLock()
        self._finished: set[str] = set()
        self._made: list[str] = []
        self._tries: Counter[str] = Counter()
        self._failed: dict[str, NotMadeAgain] = {}

    @property
    def was_needed(self) -> bool:
        """Whether a lost result was met in this run."""
        return bool(self._tries)

    def make(self, unit: Unit) -> None:
        """Make a unit, and once more if an input was made again, with another result, meanwhile.

        Raises QuardError, NotMadeAgain.
        """
        while True:
            before = len(self._made)
            self.run(functools.partial(self._build.make, unit))
            with self._lock:  # nothing is made again between the question and the answer
                if before == len(self._made) or self._build.ledger.is_current(unit):
                    self._finished.add(unit.id)
                    return

    def restored(self, unit: Unit, begins: Callable[[], None]) -> bool:
        """Restore a unit if that can be done at once; return whether it was, see restoring.

        Raises QuardError, OSError.
        """
        from quard.project.restoring import restored  # noqa: PLC0415 - a null build restores none

        before = len(self._made)
        if not restored(self._build, unit, begins):
            return False
        with self._lock:  # as in `make`
            if before != len(self._made) and not self._build.ledger.is_current(unit):
                return False
            self._finished.add(unit.id)
            return True

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

        before -- number of units made again when the work began that met the loss
        """
        unit, workspace = self._build.package(lost.package), self._build.workspace
        with self._lock:
            workspace.host.stop.check()
            if unit.id in self._failed:
                raise self._failed[unit.id]
            if unit.id in self._made[before:]:
                return
            if self._tries[unit.id] == _MOST:
                raise lost
            self._tries[unit.id] += 1
            old = self._build.ledger.result(unit)
            workspace.console.warn(workspace.outputs.drop(lost))
            self._make_again(unit, old)

    def _make_again(self, unit: Unit, old: Result | None) -> None:
        """Make a unit, and what was already made from it if its result is another one now.

        Only a package whose build is not reproducible gives another result. A failure is kept: it
        is that of each dependant, under the name of the package that could not be made.
        """
        ledger = self._build.ledger
        try:
            self.make(unit)
        except NotMadeAgain as error:
            self._failed[unit.id] = error
            raise
        except Exception as error:
            from quard.process.slots import NotBegun  # noqa: PLC0415 - a null build has none

            if isinstance(error, NotBegun):
                raise
            self._build.workspace.host.stop.check()
            self._failed[unit.id] = NotMadeAgain(unit.name, error)
            # Its users must not take what it was made from earlier inputs.
            ledger.forget(unit)
            raise self._failed[unit.id] from error
        self._made.append(unit.id)
        now = ledger.result(unit)
        if old is None or now is None or old.parts == now.parts:
            return
        for other in tuple(ledger.units.values()):
            if unit.id in {each.unit for each in other.inputs} and self._is_stale(other):
                self._make_again(other, ledger.result(other))

    def _is_stale(self, unit: Unit) -> bool:
        """Return whether a unit was made from an earlier result, and the run would leave it so."""
        done = unit.id in self._finished or self._is_done(unit)
        return done and not self._build.ledger.is_current(unit)
