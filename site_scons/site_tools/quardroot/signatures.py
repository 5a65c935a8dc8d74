"""When SCons writes its signature file."""

from __future__ import annotations

from collections.abc import Callable

import SCons.Node
import SCons.SConsign

from .guard import Guard


def sign_what_was_made(guard: Guard, warn: Callable[[str], None]) -> None:
    """Let SCons write its signature file only in a run that makes something.

    By default SCons writes it whenever it has examined a file: with the same content, which the
    guard then hashes again. If the file cannot be written, the next run only has no record of
    this one; `warn` reports that.
    """
    plain = SCons.SConsign.write

    def write() -> None:
        if guard.dry:
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
