"""Trees: Quardroot's own files, and the files that products keep in folders of their own.

A file of a product tree is named TREE:PATH, and a file of Quardroot's own tree PATH. These names
are in messages, board files and plans: none of them depends on where a machine has the trees.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from quard.base.files import listed
from quard.base.names import unknown

OWN = "quardroot"
"""The name by which the files of a product tree call Quardroot's own tree."""


class Trees:
    """Quardroot's own tree, and the product trees in the order of the settings.

    own      -- the folder of Quardroot's own tree
    products -- name of a product tree -> its folder
    board    -- the board that is built if the command line names none; "": quardroot's own choice
    sites    -- name of a site of a product tree -> its base addresses, the best one first
    start    -- name of the product tree in whose folder the build starts; "": in Quardroot's own
    """

    def __init__(
        self, own: Path, products: Mapping[str, Path] | None = None, board: str = ""
    ) -> None:
        self.own = own
        self.products = products or {}
        self.board = board
        self.sites: Mapping[str, tuple[str, ...]] = {}
        self.start = ""

    def path(self, place: str) -> Path:
        """Return the path of a file or folder by its name. Raises QuardError unknown-tree."""
        tree, path = parted(place)
        if not tree:
            return self.own / path
        if tree in self.products:
            return self.products[tree] / path
        where = f"{place}: `[trees] paths` has the folders of all trees"
        raise unknown("tree", tree, (OWN, *self.products), where)

    def find(self, path: str) -> str:
        """Return the name of the file that is used for a path: that of the last tree that has it.

        If no tree has it, this is the path in Quardroot's own tree.
        """
        for tree, folder in reversed([*self.products.items()]):
            if os.path.lexists(folder / path):
                return f"{tree}:{path}"
        return path

    def folders(self, path: str) -> dict[str, Path]:
        """Return the folder at a path of each product tree, by the trees' names, in their order."""
        return {tree: folder / path for tree, folder in self.products.items()}

    def names(self, folder: str, ending: str) -> tuple[str, ...]:
        """Return the names, without their ending, of the files in a folder of any tree, sorted."""
        found = set(listed(self.own / folder, ending))
        for place in self.folders(folder).values():
            found.update(listed(place, ending))
        return tuple(sorted(name.removesuffix(ending) for name in found))


def parted(place: str) -> tuple[str, str]:
    """Return the tree, "" for Quardroot's own, and the path of a file's name."""
    tree, colon, path = place.partition(":")
    return (tree, path) if colon else ("", place)


def placed(tree: str, path: str) -> str:
    """Return the name of a file that is written in a file of a tree.

    path -- PATH for a file of the same tree, or TREE:PATH
    """
    other, colon, inner = path.partition(":")
    if not colon:
        return f"{tree}:{path}" if tree else path
    return inner if other == OWN else path
