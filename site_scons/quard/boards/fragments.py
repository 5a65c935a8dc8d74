"""A board's Kconfig fragments: which files there are, and their content."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from quard.base import given
from quard.base.errors import QuardError
from quard.base.files import FileRef, listed
from quard.boards.configuration import Configuration


class Fragments:
    """The fragments that are merged into the configurations of Kconfig packages.

    The board's file lists some. Those written by the Kconfig editor are
    `configs/BOARD/NAME.fragment`, and `configs/BOARD/ROOT/NAME.fragment` for a package of a root.

    board -- for a named root: the board's fragments, which come first for each package for which
             the root lists none
    """

    def __init__(
        self, project: Path, configuration: Configuration, board: Fragments | None = None
    ) -> None:
        self._project = project
        self._configuration = configuration
        self._board = board

    def of(self, package: str) -> dict[str, str]:
        """Return a package's fragments in the order in which they are applied, after the recipe's.

        Name of the fragment in the build -> its path below the project.
        """
        listed = self._configuration.fragments.get(package)
        if listed is None and self._board:
            found = self._board.of(package)
        else:
            found = {f"board-{n}-{Path(path).name}": path for n, path in enumerate(listed or ())}
        edited = self.edited(package)
        if os.path.lexists(self._project / edited):
            found[self.edited_name(package)] = edited
        return found

    def references(self, package: str) -> tuple[FileRef, ...]:
        """Return them with their hashes. Raises QuardError bad-board for an unreadable one."""
        return tuple(FileRef(inner, self._hash(path)) for inner, path in self.of(package).items())

    def edited(self, package: str) -> str:
        """Return the path, below the project, of the Kconfig editor's fragment for a package."""
        return f"configs/{self._configuration.name}/{package}.fragment"

    def edited_name(self, package: str) -> str:
        """Return the name of the Kconfig editor's fragment in a build."""
        return f"{'root' if self._board else 'board'}-{package}.fragment"

    @cached_property
    def packages(self) -> Mapping[str, str]:
        """Package with fragments -> the file, below the project, that names or holds them."""
        name = self._configuration.name
        file = f"configs/{name.partition('/')[0]}.toml"
        found = dict.fromkeys(self._configuration.fragments, file)
        folder = self._project / f"configs/{name}"
        ending = ".fragment"
        edited = (name.removesuffix(ending) for name in listed(folder, ending))
        return found | {package: self.edited(package) for package in edited}

    def _hash(self, path: str) -> str:
        try:
            return given.digest(self._project / path)
        except OSError as error:
            raise QuardError(
                f"the board's fragment {path} cannot be read",
                detail=error.strerror or str(error),
                reason="bad-board",
                hint="replace it with a file that this user can read, or remove it",
            ) from error
