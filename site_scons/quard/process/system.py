"""The system whose programs run: the machine's own, or a folder with pinned tools.

A folder of pinned tools holds `usr`, laid out as in the release that its packages come from. Sealed
commands see that `usr` as theirs. Single programs also run outside of a sandbox, on the machine's
files: its dynamic loader starts them with its own libraries (ld.so(8)).
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from quard.base.record import Record, record

_LOADERS = (
    ("lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu"),
    ("lib/ld-linux-aarch64.so.1", "lib/aarch64-linux-gnu"),
)
"""Dynamic loader and libraries of each kind of build machine, below usr (Debian's layout)."""
BESIDE_USR = ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")
"""Folders of a system, or links, that sealed commands see besides /usr."""
HIDDEN = "/usr/local"
"""Hidden: files that an administrator put there are not part of the system's packages."""
_WRAPPER = "wrapper"
_FOLDERS = ("usr/bin", "usr/sbin")


@record
class System(Record):
    """A system by its top folder; "/" is the machine's own."""

    folder: Path = Path("/")

    @property
    def is_pinned(self) -> bool:
        """Whether it is a folder of pinned tools."""
        return self.folder != Path("/")

    def place(self, inside: str | Path) -> Path:
        """Return where the machine has a file that sealed commands see at this absolute path."""
        return self.folder / Path(inside).relative_to("/")

    def shown(self, place: Path) -> Path:
        """Return the path at which sealed commands see one of this system's files."""
        return Path("/") / place.relative_to(self.folder)

    def search(self, path: str) -> str:
        """Return the PATH of its programs on the machine.

        path -- that of the machine's own system
        """
        if not self.is_pinned:
            return path
        return os.pathsep.join(str(self.folder / folder) for folder in _FOLDERS)

    def start(self, program: Path) -> tuple[str, ...]:
        """Return the words that start a program, not a script, outside of a sandbox.

        program -- where the machine has it
        """
        for loader, libraries in _LOADERS if self.is_pinned else ():
            if (place := self.folder / "usr" / loader).exists():
                return (
                    *(str(place), "--library-path", str(self.folder / "usr" / libraries)),
                    str(program),
                )
        return (str(program),)

    def start_gcc(self, gcc: Path, scratch: Path) -> tuple[str, ...]:
        """Return the words that start gcc outside of a sandbox, in the folder `scratch`.

        What gcc starts, such as cc1, then has the same dynamic loader as gcc (gcc(1), -wrapper).
        """
        *loader, program = self.start(gcc)
        if not loader:
            return (program,)
        (scratch / _WRAPPER).write_text(f'exec {shlex.join(loader)} "$@"\n')
        return (*loader, program, "-wrapper", f"sh,{_WRAPPER}")


MACHINE = System()


def shows(folder: Path) -> bool:
    """Return whether every sealed command sees this folder of the machine."""
    system = any(folder.is_relative_to(shown) for shown in ("/usr", *BESIDE_USR))
    return system and not folder.is_relative_to(HIDDEN)
