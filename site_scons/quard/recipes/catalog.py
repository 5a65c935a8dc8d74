"""The catalogue of recipes: `packages/NAME/` -> frozen recipe and the files beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from copy import copy
from functools import cached_property
from pathlib import Path

from quard.base import given
from quard.base.errors import QuardError
from quard.base.files import FileRef, observe
from quard.base.names import NAME, unknown
from quard.base.record import Record, record
from quard.boards.trees import Trees, parted, placed
from quard.model import Kconfig, Recipe
from quard.recipes.beside import LEFTOVER, beside, require_inside
from quard.recipes.parse_cache import ParseCache
from quard.recipes.variant import Variant
from quard.sites import Sites
from quard.target import Target

RECIPE = "recipe.py"
_VARIES = b"ByTarget"
"""The word in a recipe that may differ between targets."""


@record
class Package(Record):
    """A recipe and its folder.

    sha256 -- of the recipe's text, of what chooses among its values, and of the trees' sites
    triple -- of the target that the recipe is for ("*": no board is chosen); "": it is for all
    beside -- names of all files in the folder, sorted, then of those of other trees: TREE:NAME
    tree   -- the tree that it is in, see quard.boards.trees
    added  -- names and paths of these files
    """

    name: str
    recipe: Recipe
    folder: Path
    sha256: str
    beside: tuple[str, ...]
    tree: str = ""
    triple: str = ""
    added: tuple[tuple[str, Path], ...] = ()

    @property
    def entry(self) -> str:
        """The name of the recipe in the parse cache."""
        return _entry(self.name, self.triple)

    @property
    def file(self) -> str:
        """The name of the recipe's file in messages."""
        return f"{_shown(self.tree, self.name)}/{RECIPE}"

    def patches(self) -> tuple[FileRef, ...]:
        """Return the patches, in the order in which they are applied."""
        return tuple(self._reference(name) for name in self.beside if name.endswith(".patch"))

    def files(self) -> tuple[FileRef, ...]:
        """Return the other files that the build can see.

        Of Kconfig fragments it sees those that the recipe names: others are for other targets. It
        does not see start scripts and configuration files, which go into images as they are.
        Raises QuardError: bad-package-file, bad-fragment.
        """
        placed, kconfig = self.placed, isinstance(self.recipe, Kconfig)
        merged = self.recipe.fragments if isinstance(self.recipe, Kconfig) else ()
        return tuple(
            self._reference(name, runs=True, merged=name in merged)
            for name in self.beside
            if name != RECIPE
            and name not in placed
            and not name.endswith(".patch")
            and not LEFTOVER.match(name)
            and (name in merged or not (kconfig and name.endswith(".fragment")))
        )

    def places(self) -> dict[str, Path]:
        """Return the paths of the files, by their names in a build."""
        return {path.name: path for path in self.folder.iterdir()} | dict(self.added)

    @property
    def devicetrees(self) -> tuple[str, ...]:
        """The device trees that a board builds, see quard.boards.overrides."""
        return ()

    @property
    def board_files(self) -> dict[str, str]:
        """Name of a file in the build -> that of the board's file which it is."""
        return {}

    @property
    def placed(self) -> frozenset[str]:
        """The names of the files that go into images as they are."""
        recipe, services, configs = self.recipe, self.recipe.services, self.recipe.configs
        if recipe.features and any(feature.adds for feature in recipe.features):
            from quard.recipes.whole import listed  # noqa: PLC0415 - few recipes need it

            services, configs = listed(recipe, "services"), listed(recipe, "configs")
        return frozenset([*(each.script for each in services), *(each.file for each in configs)])

    def file_ref(self, name: str) -> FileRef:
        """Return one file of the folder. Raises QuardError bad-package-file."""
        return self._reference(name)

    def text(self, name: str) -> str:
        """Return the text of a file of the build. Raises QuardError bad-package-file."""
        try:
            return given.content(self._place(name)).decode(errors="replace")
        except OSError as error:
            raise _unreadable(_shown(self.tree, self.name), name, error) from error

    def own(self, path: str) -> Path:
        """Return a folder below the recipe's. Raises QuardError recipe-link, missing-folder."""
        shown = _shown(self.tree, self.name)
        require_inside(shown, f"{self.folder}", path)
        found = self.folder / path
        if not found.is_dir():
            raise QuardError(
                f"{shown} has no folder {path}",
                detail=str(found),
                reason="missing-folder",
                hint="its recipe names the folder as a source: make it, or correct the recipe",
            )
        return found

    def _place(self, name: str) -> Path | str:
        return (self.added and dict(self.added).get(name)) or f"{self.folder}/{name}"

    def _reference(self, name: str, *, runs: bool = False, merged: bool = False) -> FileRef:
        """Return a file of the folder, see `observe`; `merged`: it is a Kconfig fragment."""
        tree, file = parted(name)
        shown = _shown(tree or self.tree, self.name)
        try:
            origin = f"{shown}/{file}" if merged else ""
            return observe(self._place(name), name, runs=runs, origin=origin)
        except OSError as error:
            raise _unreadable(shown, file, error) from error


class Catalog:
    """The packages of all trees; each is read when it is first requested.

    folder -- of the packages of Quardroot's own tree
    memory -- file of the parse cache, so that only changed recipes are parsed
    more   -- the same folders of product trees, by the trees' names; the later tree's package wins
    variant -- what recipes that differ between targets are for
    sites   -- those of product trees
    """

    def __init__(
        self,
        folder: Path,
        memory: Path | None = None,
        more: Mapping[str, Path] | None = None,
        variant: Variant | None = None,
    ) -> None:
        self._folders = {"": folder, **(more or {})}
        self._packages: dict[str, Package] = {}
        self._own: dict[str, Package] = {}
        self._remembered = ParseCache(memory)
        self._variant = variant or Variant()
        self.sites: Sites = {}

    def of(self, target: Target, trees: Trees) -> Catalog:
        """Return the same catalogue with the recipes for a target of these trees."""
        found = copy(self)
        found._own, found._variant = {}, Variant(target, trees)
        return found

    @cached_property
    def known(self) -> frozenset[str]:
        """Every package's name."""
        return frozenset(self._trees)

    @property
    def _trees(self) -> dict[str, str]:
        """The tree of each package."""
        return self._listed[0]

    @cached_property
    def _listed(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """The tree of each package, and the later trees that add files to one.

        The folders are listed once. Raises QuardError unknown-package.
        """
        found: dict[str, str] = {}
        extending: dict[str, list[str]] = {}
        for tree, folder in self._folders.items():
            there, without = list[str](), list[str]()
            try:
                with os.scandir(folder) as entries:
                    for e in entries:
                        (there if os.path.exists(f"{e.path}/{RECIPE}") else without).append(e.name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            for name in without if tree else ():
                from quard.recipes import additions  # noqa: PLC0415

                if additions.adds(folder / name, _shown(tree, name), found):
                    extending.setdefault(name, []).append(tree)
            found |= dict.fromkeys(there, tree)
        return found, extending

    def names(self) -> tuple[str, ...]:
        """Return every package's name, sorted."""
        return tuple(sorted(self.known))

    def __getitem__(self, name: str) -> Package:
        """Return one package. Raises QuardError if it does not exist or cannot be read."""
        package = self._packages.get(name) or self._own.get(name)
        if package is None:
            package = self._read(name)
            (self._own if package.triple else self._packages)[name] = package
        return package

    def _read(self, name: str) -> Package:
        tree = self._trees.get(name, "")
        folder, shown = f"{self._folders[tree]}/{name}", _shown(tree, name)
        try:
            if not NAME.match(name):
                raise FileNotFoundError
            found = beside(shown, folder)
            text = given.content(f"{folder}/{RECIPE}", given.TEXT)
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing(name) from None
        except OSError as error:
            raise _unreadable(shown, RECIPE, error) from error
        variant = self._variant if _VARIES in text else None
        known = (text, variant.stamp if variant else b"", " ".join(sorted(self.sites)).encode())
        sha256 = hashlib.sha256(b"\0".join(known)).hexdigest()
        triple = variant.name if variant else ""
        entry = _entry(name, triple)
        recipe = self._remembered.recipe(entry, sha256)
        if recipe is None:
            from quard.recipes import parse  # noqa: PLC0415 - for changed recipes only

            recipe = parse.recipe(text, f"{shown}/{RECIPE}", variant)
            self._remembered.add(entry, sha256, recipe)
        added: tuple[tuple[str, Path], ...] = ()
        later = [each for each in self._listed[1].get(name, ()) if self._is_later(each, tree)]
        if later:
            from quard.recipes import additions  # noqa: PLC0415 - few packages have any

            folders = {each: self._folders[each] / name for each in later}
            recipe, added = additions.extended(recipe, f"{shown}/{RECIPE}", folders)
            found += tuple(file for file, _ in added)
        return Package(name, recipe, Path(folder), sha256, found, tree, triple, added)

    def _is_later(self, tree: str, other: str) -> bool:
        order = [*self._folders]
        return order.index(tree) > order.index(other)

    def shown(self, name: str) -> str:
        """Return the name of a package's folder in messages."""
        return _shown(self._trees[name], name)

    def _missing(self, name: str) -> QuardError:
        if name in self.known:
            return QuardError(
                f"{self.shown(name)} is not a valid name for a package",
                reason="bad-package-name",
                hint="begin with a-z or 0-9; then use these and + . -",
            )
        return unknown("package", name, self.names(), "add packages/NAME/recipe.py")

    def is_clean(self, package: Package) -> bool:
        """Return whether an earlier check of this recipe and these file names found nothing."""
        return self._remembered.is_clean(package.entry, package.sha256, package.beside)

    def set_clean(self, package: Package) -> None:
        """Record that a check found nothing."""
        self._remembered.set_clean(package.entry, package.sha256, package.beside)

    def remember(self) -> None:
        """Save the parse cache, if anything is new."""
        self._remembered.save(self.known)


def _entry(name: str, triple: str) -> str:
    return f"{name} {triple}" if triple else name


def _shown(tree: str, name: str) -> str:
    """Return the name of a package's folder."""
    return placed(tree, f"packages/{name}")


def _unreadable(shown: str, file: str, error: OSError) -> QuardError:
    return QuardError(
        f"{shown}/{file} cannot be read",
        detail=error.strerror or str(error),
        reason="bad-package-file",
        hint="replace it with a file that this user can read, or remove it",
    )
