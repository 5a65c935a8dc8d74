"""The project's files that images are made from: overlays, system tables, the machine, run.sh."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from quard.base import given
from quard.base.errors import QuardError
from quard.base.files import listed
from quard.base.names import meant
from quard.boards.board import Board
from quard.boards.root import Root
from quard.boards.trees import Trees, parted
from quard.image import overlay
from quard.image.overlay import Overlay
from quard.plan.board import DATA, Surroundings


class ImageFiles:
    """Finds and reads these files for one board.

    memories -- folder in which digests of unchanged files of overlays are kept
    keys     -- root's public keys from the user's settings
    """

    def __init__(self, trees: Trees, board: Board, memories: Path, keys: tuple[str, ...]) -> None:
        self._trees = trees
        self._board = board
        self._memories = memories
        self._keys = keys
        self._scanning = threading.Lock()

    def surroundings(self, roots: Iterable[Root], overlays: Mapping[str, Overlay]) -> Surroundings:
        """Return the digests of everything that the images of these roots are made from."""
        roots = tuple(roots)
        systems = dict.fromkeys(root.system for root in roots)
        return Surroundings(
            systems={name: self._system_digest(name) for name in systems},
            overlays={name: found.digest for name, found in overlays.items()},
            authorized_keys=self._keys,
            machine=self._machine_digest(),
            machine_tree=parted(self._machine[1])[0],
            template=self._template_digest(),
            hooks=self._hooks(roots),
        )

    def _hooks(self, roots: Iterable[Root]) -> dict[str, str]:
        hooked = [root for root in roots if root.hooks]
        if not hooked:
            return {}
        from quard.project import hooks  # noqa: PLC0415 - few boards have any

        return hooks.digests(hooked, self._trees, self._memories)

    def system(self, name: str) -> tuple[Path, str]:
        """Return the path of a system's table, and the name of that file."""
        return self._table("system", "configs/system", name, lambda root: root.system == name)

    def _system_digest(self, name: str) -> str:
        path, file = self.system(name)
        try:
            return given.digest(path)
        except OSError as error:
            raise QuardError(
                f"{file} cannot be read",
                detail=error.strerror or str(error),
                reason="bad-system-table",
                hint="replace it with a file that this user can read",
            ) from error

    @cached_property
    def _machine(self) -> tuple[Path, str]:
        """The path of the machine's file, and the name of that file."""
        return self._table("machine", "qemu", self._board.machine, lambda _: True)

    def _table(
        self, key: str, folder: str, name: str, says: Callable[[Root], bool]
    ) -> tuple[Path, str]:
        """Return the path of a table that a key names, and the name of that file.

        says -- whether a root has this name; the error is about the first one that does
        """
        file = self._trees.find(f"{folder}/{name}.toml")
        path = self._trees.path(file)
        if not os.path.lexists(path):
            known = self._trees.names(folder, ".toml")
            raise QuardError(
                f"{self._where(key, says)}: there is no {folder}/{name}.toml",
                detail=f"known: {', '.join(known)}",
                reason="bad-board",
                hint=meant(name, known, "correct the name, or add the file"),
            )
        return path, file

    def _where(self, key: str, says: Callable[[Root], bool]) -> str:
        """Return the place of a key of the first root that says something, for messages."""
        roots = (self._board.own, *self._board.roots)
        return next(filter(says, roots)).configuration.where(key)

    def scan(self, names: Iterable[str]) -> dict[str, Overlay]:
        """Return overlays as they are now."""
        with self._scanning:  # two roots may have one overlay, and be made at once
            return {name: self._scan(name) for name in dict.fromkeys(names)}

    def _scan(self, name: str) -> Overlay:
        memory = self._memories / f"{name.replace('/', '%')}.json"
        try:
            return overlay.scan(name, self._trees.path(name), memory)
        except QuardError as error:
            if error.reason == "overlay-missing":
                where = self._where("overlays", lambda root: name in root.overlays)
                error.reword(f"{where}: {error.message}")
            raise

    def _machine_digest(self) -> str:
        try:
            return given.digest(self._machine[0])
        except OSError:
            self.script()  # raises the error
            raise

    def _template_digest(self) -> str:
        folder = self._trees.own / "qemu" / "run"
        total = hashlib.sha256()
        try:
            for name in listed(folder, ".sh"):
                total.update(f"{name} {given.digest(folder / name)}\n".encode())
        except OSError:
            self.script()
            raise
        return total.hexdigest()

    def script(self) -> str:
        """Return the text of run.sh."""
        # The machine's file is read when the script is made; a null build does not make it.
        from quard.machine import machine, runscript  # noqa: PLC0415

        template = runscript.template(self._trees.own / "qemu" / "run")
        data = DATA if self._board.data.size_mib else ""
        found = machine.load(*self._machine)
        board = self._board
        return runscript.script(found, template, board=board.name, data=data, formats=board.formats)

    def emulator(self) -> str:
        """Return the name of the program that emulates the board's machine. Raises QuardError."""
        from quard.machine import machine  # noqa: PLC0415 - a null build does not read it

        return machine.load(*self._machine).binary
