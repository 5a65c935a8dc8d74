"""A board's own configuration fragments: which there are, and what is in them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from quard.base import given
from quard.base.errors import QuardError
from quard.base.files import FileRef
from quard.boards.board import Board


class Fragments:
    """The fragments that a board lays over the configurations of its Kconfig packages.

    The board's file lists some. What the Kconfig editor has written is in
    `configs/BOARD/NAME.fragment`.
    """

    def __init__(self, project: Path, board: Board) -> None:
        self._project = project
        self._board = board

    def of(self, package: str) -> dict[str, str]:
        """Return a package's fragments, in the order in which they are laid over its recipe's.

        The name that a build has for each -> its path below the project.
        """
        listed = self._board.fragments.get(package, ())
        found = {f"board-{number}-{Path(path).name}": path for number, path in enumerate(listed)}
        edited = self.edited(package)
        if os.path.lexists(self._project / edited):
            found[edited_name(package)] = edited
        return found

    def references(self, package: str) -> tuple[FileRef, ...]:
        """Return the same by content. Raises QuardError bad-board for one that cannot be read."""
        return tuple(FileRef(inner, self._hash(path)) for inner, path in self.of(package).items())

    def edited(self, package: str) -> str:
        """Return the path, below the project, of what was edited in a package's configuration."""
        return f"configs/{self._board.name}/{package}.fragment"

    @cached_property
    def packages(self) -> Mapping[str, str]:
        """Each package that has a fragment -> the file that says so, below the project."""
        found = dict.fromkeys(self._board.fragments, f"configs/{self._board.name}.toml")
        folder = self._project / f"configs/{self._board.name}"
        return found | {p.stem: self.edited(p.stem) for p in folder.glob("*.fragment")}

    def _hash(self, path: str) -> str:
        try:
            return sha256(given.content(self._project / path, given.TEXT)).hexdigest()
        except OSError as error:
            raise QuardError(
                f"the board's fragment {path} cannot be read",
                detail=error.strerror or str(error),
                reason="bad-board",
                hint="put a file in its place that this user may read, or take it away",
            ) from error


def edited_name(package: str) -> str:
    """Return the name under which a build sees what was edited."""
    return f"board-{package}.fragment"
