"""A board's Kconfig fragments: which files there are, and their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cached_property

from quard.base import given
from quard.base.files import FileRef, listed
from quard.base.kconfig_lines import settings
from quard.boards.configuration import Configuration
from quard.boards.trees import Trees, parted, placed


class Fragments:
    """The fragments that are merged into the configurations of Kconfig packages.

    The board's file lists some. Those written by the Kconfig editor are
    `configs/BOARD/NAME.fragment`, and `configs/BOARD/ROOT/NAME.fragment` for a package of a root,
    in the tree of the board's file.

    board -- for a named root: the board's fragments, which come first for each package for which
             the root lists none
    """

    def __init__(
        self, trees: Trees, configuration: Configuration, board: Fragments | None = None
    ) -> None:
        self.trees = trees
        self._configuration = configuration
        self._board = board

    def of(self, package: str) -> dict[str, str]:
        """Return a package's fragments in the order in which they are applied, after the recipe's.

        Name of the fragment in the build -> that of its file, see quard.boards.trees.
        """
        listed = self._configuration.fragments.get(package)
        if listed is None and self._board:
            found = self._board.of(package)
        else:
            found = {
                fragment_name(number, place): place for number, place in enumerate(listed or ())
            }
        edited = self.edited(package)
        if os.path.lexists(self.trees.path(edited)):
            found[self.edited_name(package)] = edited
        return found

    def names(self, package: str) -> dict[str, str]:
        """Return the fragments of `of`, and those of the Kconfig editor even if there are none."""
        above = self._board.names(package) if self._board else {}
        edited = {self.edited_name(package): self.edited(package)}
        return {**above, **self.of(package), **edited}

    def references(self, package: str) -> tuple[FileRef, ...]:
        """Return them with the hashes of their settings.

        Raises QuardError: bad-board for an unreadable one, bad-fragment.
        """
        found = []
        for inner, file in self.of(package).items():
            text = settings(self._content(package, file), file)
            found.append(FileRef(inner, hashlib.sha256(text).hexdigest(), settings=True))
        return tuple(found)

    def texts(self, package: str) -> dict[str, str]:
        """Return the texts of a package's fragments by the names of their files, in order.

        Raises QuardError bad-board for an unreadable one.
        """
        return {
            file: self._content(package, file).decode(errors="replace")
            for file in self.of(package).values()
        }

    def edited(self, package: str) -> str:
        """Return the name of the file of the Kconfig editor's fragment for a package."""
        path = f"configs/{self._configuration.name}/{package}.fragment"
        return placed(self._configuration.tree, path)

    def edited_name(self, package: str) -> str:
        """Return the name of the Kconfig editor's fragment in a build."""
        return f"{'root' if self._board else 'board'}-{package}.fragment"

    @cached_property
    def packages(self) -> Mapping[str, str]:
        """Package with fragments -> the name of the file that names or holds them."""
        name, tree = self._configuration.name, self._configuration.tree
        found = dict.fromkeys(self._configuration.fragments, self._configuration.file)
        folder = self.trees.path(placed(tree, f"configs/{name}"))
        ending = ".fragment"
        edited = (name.removesuffix(ending) for name in listed(folder, ending))
        return found | {package: self.edited(package) for package in edited}

    def where(self, package: str, file: str) -> str:
        """Return the place of the key that lists a fragment; "" for one of the Kconfig editor."""
        if file in self._configuration.fragments.get(package, ()):
            return self._configuration.where(f"fragments.{package}")
        return self._board.where(package, file) if self._board else ""

    def _content(self, package: str, file: str) -> bytes:
        try:
            return given.content(self.trees.path(file), given.TEXT)
        except OSError as error:
            from quard.boards.files import unreadable  # noqa: PLC0415 - for an error only

            raise unreadable(self.trees, file, error, self.where(package, file)) from error


def fragment_name(number: int, place: str) -> str:
    """Return the name in a build of a fragment that a board lists.

    number -- its place in the list, from 0 on
    place  -- the name of its file, see quard.boards.trees
    """
    return f"board-{number}-{parted(place)[1].rpartition('/')[2]}"
