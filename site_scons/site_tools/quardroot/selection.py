"""Which units SCons looks at in a run, and what it is told of each."""

from __future__ import annotations

from collections.abc import Callable

import SCons.Node
import SCons.SConsign

from quard.plan.unit import Unit
from quard.project.build import BoardBuild

from .guard import Guard, is_dry


class Selection:
    """The units of one run, parted into those that it may change and those that it cannot.

    wanted -- units that are to be up to date, inputs first
    forced -- ids of those that are made whatever they are
    all_of_them -- SCons looks at each of them, whatever is known
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
        self.forced = forced
        self.unchanged: frozenset[str] = frozenset()
        # Without its signatures SCons makes everything anew: then nothing here can be relied on.
        if not all_of_them and guard.has_signatures:
            self.unchanged = ledger.unchanged(wanted, forced)
        self.changed = tuple(unit for unit in wanted if unit.id not in self.unchanged)
        # SCons would take these for what they were when it last looked.
        unusable = (unit.id for unit in self.changed if not ledger.is_usable(unit))
        self.unusable = frozenset(unusable)


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
