"""The places of a package's patches: its recipe's, then what other trees add, then the board's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.names import unknown
from quard.boards.trees import OWN, Trees, placed
from quard.interactive import series
from quard.interactive.series import ENDING, Commit
from quard.project.edits import Patched
from quard.recipes.catalog import Package
from quard.recipes.overriding import Overridden

_BOARD = ":board"
"""The board as a place of patches; no tree has such a name."""
_AS_FILES = "save it with git format-patch, and name the file in `patches` of the board's file"


class Layers:
    """The trees that may have patches for a package, and the board, whose patches are listed there.

    target -- the tree that gets the patches of new commits, as the user names it; "": the product
              in whose folder the build starts, or else the last one that has some, or that of the
              recipe
    Raises QuardError: unknown-tree.
    """

    def __init__(self, trees: Trees, package: Package, target: str) -> None:
        self._trees, self._package = trees, package
        order = ["", *trees.products]
        self._order = [*order[order.index(package.tree) :], _BOARD]
        listed = [self._of(one.name) for one in package.patches()]
        self._target = next((tree for tree in reversed(listed) if tree != _BOARD), package.tree)
        if trees.start in self._order:
            self._target = trees.start or self._target
        if target:
            self._target = "" if target == OWN else target
            if self._target not in self._order[:-1]:
                known = [tree or OWN for tree in self._order[:-1]]
                where = f"{package.file} is in another one, or a later one in `[trees] paths`"
                raise unknown("tree", target, known, where)

    def _of(self, name: str) -> str:
        """Return the tree of a patch by its name, which names it unless it is the recipe's."""
        if name in self._package.board_files:
            return _BOARD
        tree, colon, _ = name.partition(":")
        return tree if colon else self._package.tree

    def place(self, name: str) -> Path:
        """Return where a patch is, or will be."""
        tree = self._of(name)
        if tree == _BOARD:
            return self._trees.path(self._package.board_files[name])
        return self._folder(tree) / name.rpartition(":")[2]

    def _folder(self, tree: str) -> Path:
        if tree == self._package.tree:
            return self._package.folder
        return self._trees.path(placed(tree, f"packages/{self._package.name}"))

    def names(self, commits: Sequence[Commit], patches: Sequence[Patched | None]) -> Iterator[str]:
        """Yield the names of the patches for commits, see series.names.

        Raises QuardError not-as-patches for a commit after a patch of a later tree.
        """
        trees = [self._of(p.file) if p else self._target for p in patches]
        self._require_possible(commits, patches)
        places = [self._order.index(tree) for tree in trees]
        for place, after in enumerate(places[1:]):
            if after < places[place]:
                self._refuse(commits[place + 1], trees[place])
        for tree, group in groupby(zip(trees, commits, patches, strict=True), lambda each: each[0]):
            inner = [*group]
            if tree == _BOARD:
                yield from (p.file for *_, p in inner if p)
                continue
            bare = [replace(p, file=p.file.rpartition(":")[2]) if p else None for *_, p in inner]
            prefix = "" if tree == self._package.tree else f"{tree}:"
            for name in series.names([commit for _, commit, _ in inner], bare):
                yield prefix + name

    def _require_possible(
        self, commits: Sequence[Commit], patches: Sequence[Patched | None]
    ) -> None:
        """Raise QuardError not-as-patches for what only an edit of the board's file can do."""
        package, kept = self._package, {patch.file for patch in patches if patch}
        gone = [name for name in package.board_files if name.endswith(ENDING) and name not in kept]
        if gone:
            raise QuardError(
                f"the commit of the board's patch {gone[0]} was dropped",
                detail=package.board_files[gone[0]],
                reason="not-as-patches",
                hint="remove it from `patches` in the board's file instead",
            )
        new = next((one for one, patch in zip(commits, patches, strict=True) if not patch), None)
        if new and isinstance(package, Overridden) and package.override.release:
            raise QuardError(
                f"the board has another source of {package.name}, so that the patches beside the"
                " recipe are not for it",
                detail=f"{new.name[:12]} {new.subject}",
                reason="not-as-patches",
                hint=_AS_FILES,
            )

    def _refuse(self, commit: Commit, tree: str) -> None:
        where = "board" if tree == _BOARD else f"tree {tree or OWN}"
        raise QuardError(
            f"the commit {commit.name[:12]} comes after a patch of the {where}",
            detail=f"{commit.subject}\nthe patches of later trees are applied last",
            reason="not-as-patches",
            hint="move it before that patch with git rebase -i, or "
            + (_AS_FILES if tree == _BOARD else f"use TREE={tree or OWN}"),
        )
