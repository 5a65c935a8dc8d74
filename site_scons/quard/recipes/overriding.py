"""Packages as a board changes them: another source, further patches, own files, device trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from quard.base import given
from quard.base.errors import QuardError
from quard.base.files import FileRef
from quard.base.names import meant
from quard.base.record import record
from quard.boards.files import reference
from quard.boards.override import Override, Release, file_name, is_own
from quard.boards.trees import Trees
from quard.model import Folder, Git, Kconfig, Recipe, Source
from quard.recipes.catalog import Catalog, Package
from quard.recipes.lint_sources import is_address, unknown_site
from quard.recipes.placeholders import unknown_words
from quard.sites import Sites

_REASON = "bad-board"


@record
class Overridden(Package):
    """A package as a board changes it.

    override -- what the board says
    trees    -- where the board's files are
    """

    override: Override = Override(file="")
    trees: Trees = Trees(Path())

    def patches(self) -> tuple[FileRef, ...]:
        """Return the recipe's patches, unless they are for another source, then the board's."""
        own = () if self.override.release else super().patches()
        places = self.override.patch_places.items()
        return (*own, *(self._given(*each, runs=False) for each in places))

    def files(self) -> tuple[FileRef, ...]:
        """Return the files of the recipe, some replaced by the board's, and its device trees."""
        places = self.override.file_places.items()
        given = {name: self._given(name, place, runs=True) for name, place in places}
        own = tuple(given.pop(each.name, each) for each in super().files())
        return (*own, *given.values())

    def places(self) -> dict[str, Path]:
        """Return the paths of the recipe's files, and of those of the board."""
        given = self.board_files.items()
        return super().places() | {name: self.trees.path(file) for name, file in given}

    def text(self, name: str) -> str:
        """Return the text of a file, which may be the board's. Raises as that of a package."""
        place = self.override.file_places.get(name)
        if place is None:
            return super().text(name)
        self._given(name, place, runs=False)  # which raises the error
        return given.content(self.trees.path(place)).decode(errors="replace")

    @property
    def board_files(self) -> dict[str, str]:
        """Name of a file in the build -> that of the board's file which it is."""
        return {**self.override.patch_places, **self.override.file_places}

    @property
    def devicetrees(self) -> tuple[str, ...]:
        """The device trees, as names in the source and names of files."""
        found = self.override.devicetrees
        return tuple(file_name(one) if is_own(one) else one for one in found)

    def _given(self, name: str, place: str, *, runs: bool) -> FileRef:
        where = f"{self.override.file}: {self.override.key(place)}.{self.name}"
        return reference(self.trees, name, place, where, runs=runs)


def overridden(package: Package, override: Override, trees: Trees) -> Package:
    """Return a package as a board changes it. Raises QuardError bad-board."""
    recipe = package.recipe
    changes: dict[str, Any] = {}
    if override.release:
        source = _source(package, override.release, override.file)
        changes["sources"] = (source, *recipe.sources[1:])
        changes["version"] = override.release.version or recipe.version
    if override.defconfig:
        changes |= {"base": override.defconfig, "fragments": ()}
    return Overridden(
        package.name,
        replace(recipe, **changes),
        package.folder,
        package.sha256,
        package.beside,
        package.tree,
        package.triple,
        package.added,
        override,
        trees,
    )


def check(overrides: Mapping[str, Override], catalog: Catalog) -> None:
    """Reject what a package cannot have. Raises QuardError bad-board, unknown-package."""
    for name, override in sorted(overrides.items()):
        package = catalog[name]
        _check_source(package, override)
        _check_patches(package, override)
        _check_kconfig(package, override)
        _check_files(package, override)
        if override.release:
            _check_addresses(name, override.release, override.file, catalog.sites)


def _check_source(package: Package, override: Override) -> None:
    if package.recipe.sources:
        return
    for key in override.said:
        if key in ("sources", "patches"):
            raise _bad(
                override,
                f"{key}.{package.name} is for packages that have a source",
                f"remove it; the files of {package.name} come from somewhere else",
            )


def _check_patches(package: Package, override: Override) -> None:
    """Reject patches for the recipe's own code, to which no build would apply them."""
    top = next(iter(package.recipe.sources), None)
    if isinstance(top, Folder) and override.patches and not override.release:
        raise _bad(
            override,
            f"patches.{package.name} is for packages that are unpacked",
            f"change the files in {top.path} of {package.file} instead, or name another source:"
            f" sources.{package.name}",
        )


def _check_kconfig(package: Package, override: Override) -> None:
    recipe, name = package.recipe, package.name
    if override.defconfig and not isinstance(recipe, Kconfig):
        raise _bad(
            override,
            f"defconfigs.{name} is for packages that Kconfig configures",
            "remove it; the recipe's features and arguments configure it",
        )
    if not override.devicetrees:
        return
    if not isinstance(recipe, Kconfig) or not recipe.devicetrees:
        raise _bad(
            override,
            f"devicetrees.{name} is for packages that have device trees",
            f"remove it, or say where {package.file} has them: `devicetrees`",
        )
    blobs = [one for one in override.devicetrees if not is_own(one)]
    if blobs and not recipe.blobs:
        raise _bad(
            override,
            f"devicetrees.{name} cannot have {blobs[0]}: {name} makes no blobs by name",
            "choose the tree in a fragment, as docs/build-styles.md says",
        )


def _check_files(package: Package, override: Override) -> None:
    known = sorted(each.name for each in package.files())
    replacing = {file_name(place): place for place in override.files}
    for inner, place in replacing.items():
        if inner not in known:
            raise _bad(
                override,
                f"files.{package.name} has {place}, and {package.name} has no file {inner}",
                meant(inner, known, "a file replaces one of the recipe's with the same name"),
                f"it has: {', '.join(known) or 'none'}",
            )
    for inner in override.file_places:
        if inner in known and inner not in replacing:
            text = f"devicetrees.{package.name} has {inner}, the name of a file of the recipe"
            raise _bad(override, text, "give it another name")


def _check_addresses(name: str, release: Release, file: str, trees: Sites) -> None:
    for address in (release.address, *release.mirrors):
        if not address:
            continue
        text = (
            unknown_site(address, trees) if is_address(address) else f"not an address: {address!r}"
        )
        if words := unknown_words(address):
            text = f"{address!r} has the unknown placeholder {{{words[0]}}}"
        if text:
            raise QuardError(
                f"{file}: sources.{name}: {text}", reason=_REASON, hint=f"correct it in {file}"
            )


def _source(package: Package, release: Release, file: str) -> Source | Git:
    if release.commit:
        return Git(
            release.address,
            release.commit,
            release.tree,
            submodules=release.submodules,
            mirrors=release.mirrors,
        )
    if release.address:
        return Source(
            release.address, release.sha256, file, mirrors=release.mirrors, size=release.size
        )
    old = _archive(package.recipe)
    if old is None:
        raise QuardError(
            f"{file}: sources.{package.name}.address is missing",
            detail=f"{package.file} has no archive whose address could be used",
            reason=_REASON,
            hint="give the address of the other source",
        )
    return replace(old, sha256=release.sha256, provenance=file, alternates=(), size=release.size)


def _archive(recipe: Recipe) -> Source | None:
    first = recipe.sources[0] if recipe.sources else None
    return first if isinstance(first, Source) else None


def _bad(override: Override, text: str, hint: str, detail: str = "") -> QuardError:
    return QuardError(f"{override.file}: {text}", detail=detail, reason=_REASON, hint=hint)
