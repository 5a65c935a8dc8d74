"""The folders that packages are built from: overrides, checkouts being edited, recipes' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from quard.model import Folder
from quard.plan.source import Tree, laid_in
from quard.recipes.catalog import Catalog
from quard.sources.trees import Listing, scan


class LocalTrees(Mapping[str, Tree]):
    """Package -> its folder as this run finds it; each one is looked at when it is asked for.

    override -- package -> folder, from the settings
    edits    -- package -> its checkout that is being edited, which has all of the sources
    memory   -- folder of files with the hashes of earlier runs
    """

    def __init__(
        self,
        override: Mapping[str, Path],
        edits: Mapping[str, Path],
        catalog: Catalog,
        memory: Path,
    ) -> None:
        self._override = {**override, **edits}
        self._edits = edits
        self._catalog = catalog
        self._memory = memory
        self._listings: dict[str, Listing | None] = {}
        self._folders: dict[str, dict[str, Listing]] = {}

    def listing(self, name: str) -> Listing | None:
        """Return what is in a package's folder; None if it is built from archives.

        Raises QuardError: missing-folder, recipe-link.
        """
        if name not in self._listings:
            folder = self._folder(name)
            memory = self._memory / f"{name}.json"
            self._listings[name] = scan(folder, memory) if folder else None
        return self._listings[name]

    def folders(self, name: str) -> dict[str, Listing]:
        """Return what is in a recipe's own folders, by the folders of the source tree for them.

        Raises QuardError: missing-folder, recipe-link.
        """
        package = self._catalog[name]
        if len(package.recipe.sources) < 2:
            return {}
        if name not in self._folders:
            self._folders[name] = {
                one.into: scan(package.own(one.path), self._memory / _file(name, one.into))
                for one in laid_in(package.recipe)
            }
        return self._folders[name]

    def is_own(self, name: str) -> bool:
        """Return whether a package is built from a folder of its recipe."""
        return name not in self._override and self._folder(name) is not None

    def _folder(self, name: str) -> Path | None:
        if name in self._override:
            return self._override[name]
        package = self._catalog[name]
        top = next(iter(package.recipe.sources), None)
        if not isinstance(top, Folder):
            return None
        return package.own(top.path)

    def __getitem__(self, name: str) -> Tree:
        found = self.listing(name)
        folders = tuple((into, each.digest) for into, each in self.folders(name).items())
        if found is None:
            if not folders:
                raise KeyError(name)
            return Tree(folders=folders)
        return Tree(
            found.digest,
            "configure" in found.entries,
            name in self._edits,
            folders,
            own=name not in self._override,
        )

    def __iter__(self) -> Iterator[str]:
        return (n for n in self._catalog.names() if self._folder(n) or self.folders(n))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _file(name: str, into: str) -> str:
    """Return the name of the file with the hashes of a folder in the source tree.

    The file names its folder as well: two folders that share it only forget what they had.
    """
    return f"{name}:{into.replace('/', ':')}.json"
