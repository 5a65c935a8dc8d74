"""Which packages SCons looks at in a run, and what it is told of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import SCons.Node
import SCons.SConsign

from quard.ledger.unchanged import Facts, Unchanged
from quard.plan.resolve import Resolved
from quard.project.workshop import Workshop

from .guard import Guard, is_dry


class Selection:
    """The packages of one run, parted into those that it may change and those that it cannot.

    names       -- packages that are wanted, in building order
    outdated    -- those whose results are not to be taken any more, whatever SCons knows of them
    all_of_them -- SCons looks at each of them, whatever is known
    """

    def __init__(
        self,
        workshop: Workshop,
        resolved: Resolved,
        names: tuple[str, ...],
        guard: Guard,
        *,
        all_of_them: bool,
    ) -> None:
        self._workshop = workshop
        self._resolved = resolved
        self._guard = guard
        self._answers = Unchanged(workshop.out / "unchanged.json", workshop.out / "packages")
        known = {name: self.facts(name) for name in names}
        self.outdated = workshop.outdated(names)
        self.unchanged: frozenset[str] = frozenset()
        if not all_of_them:
            has, forced = workshop.outputs.has, workshop.site.force | self.outdated
            self.unchanged = self._answers.among(known, forced, guard.signatures, has)
        self.changed = tuple(name for name in names if name not in self.unchanged)
        archives = {name: resolved.plans[name].archives for name in self.changed}
        self.outdated |= workshop.outputs.unaccepted(archives)
        self.outdated |= {n for n in self.changed if any(workshop.outputs.lost(n))}

    def facts(self, name: str) -> Facts:
        """Return what SCons is told of one package."""
        plan, workshop = self._resolved.plans[name], self._workshop
        key = f"{plan.identity}:{workshop.toolchain.fingerprint}"
        return Facts(key, plan.archives, (*plan.needs, *plan.links), plan.deploys)

    def make(self, name: str) -> None:
        """Have one package's results."""
        self._workshop.produce(self._resolved, name)
        self._answers.made(name)

    def runtime(self) -> str:
        """Return a digest of what the image's packages install, as this run leaves it."""
        return self._answers.runtime(self._resolved.image)

    def keep(self, current: Iterable[str]) -> None:
        """Keep for the next run that SCons has found or made these packages up to date."""
        facts = {name: self.facts(name) for name in current}
        blobs = self._workshop.outputs.blobs
        self._guard.afterwards(lambda signatures: self._answers.save(facts, signatures, blobs))


def sign_what_was_made(guard: Guard, warn: Callable[[str], None]) -> None:
    """Have SCons write its signature file only in a run that makes something.

    It writes it whenever it has looked at a file: the same content once more, all of which is then
    hashed anew by the guard. A file that cannot be written costs the next run its memory of this
    one, which `warn` says, and nothing else.
    """
    plain = SCons.SConsign.write

    def write() -> None:
        if is_dry():
            return  # or the next run would take what was not made for what it is to be
        looked_at = (n for file in SCons.SConsign.sig_files for n in file.to_be_merged.values())
        if guard.began or any(n.get_state() != SCons.Node.up_to_date for n in looked_at):
            try:
                plain()
            except OSError as error:
                for database in SCons.SConsign.DB_sync_list:
                    database._needs_sync = False  # or it tries again when Python ends
                guard.unsigned()
                warn(f"{guard.sconsign.name} cannot be written: {error.strerror}")

    SCons.SConsign.write = write
