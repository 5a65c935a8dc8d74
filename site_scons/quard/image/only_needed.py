"""Packages that an image has only because another one needs them, without all of their parts.

An error about something that is missing names the package and the part that have it. A package
whose libraries no other file is linked with is reported: the need may be superfluous.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from quard.image import tarimage
from quard.image.tree import Tree
from quard.parts.stage import below

_LIBRARY = re.compile(r"usr/lib/lib[^/]*\.so(\.[^/]*)?")


class OnlyNeeded:
    """The packages of one image.

    blobs -- (package, part that the image does not have) -> returns the blob of this part; called
             only when an error is explained
    links -- path of a program or library -> paths of the libraries and of the loader that it needs
    """

    def __init__(self, blobs: Mapping[tuple[str, str], Callable[[], Path]]) -> None:
        self._blobs = blobs
        self._packages = {package for package, _ in blobs}
        self.links: dict[str, set[str]] = {}

    def __contains__(self, package: str) -> bool:
        return package in self._packages

    def link(self, tree: Tree, path: str, library: str) -> None:
        """Note that the file at a path is linked with the library at another one."""
        self.links.setdefault(path, set()).add(tree.resolve(library))

    def unlinked(self, tree: Tree) -> tuple[str, ...]:
        """Return the packages that have libraries, with none of which another file is linked.

        Libraries in folders of their own do not count: programs open them by name.
        """
        linked: set[str] = set()
        for path in self.links.keys() & tree.nodes.keys():
            libraries, own = self.links[path], tree.packages.get(path, set())
            for library in libraries:
                linked |= tree.packages.get(library, set()) - own
        having = {
            package
            for path, packages in tree.packages.items()
            for package in packages
            if _LIBRARY.fullmatch(path)
        }
        return tuple(sorted((having & self._packages) - linked))

    def remedy(self, paths: Iterable[str], otherwise: str) -> str:
        """Return a hint for an error about something that is missing.

        paths     -- where it would be, without a leading slash: a file, or a folder
        otherwise -- the hint if no package has it
        """
        wanted = tuple(paths)
        return self.remedy_if(lambda path: any(below(path, each) for each in wanted), otherwise)

    def remedy_if(self, wanted: Callable[[str], bool], otherwise: str) -> str:
        """Return such a hint if `wanted` holds of the path of a file that a package has."""
        for package, part, path in self._found:
            if wanted(path):
                return (
                    f"{package} has it, in its part `{part}`, which the image does not have: list"
                    f" {package} in the board's `packages`, or {package} or {package}:{part} in"
                    " `runtime` of the recipe that uses it"
                )
        return otherwise

    @cached_property
    def _found(self) -> list[tuple[str, str, str]]:
        """The package, the part and the path of each file."""
        return [
            (package, part, path)
            for (package, part), blob in sorted(self._blobs.items())
            for path in tarimage.read(blob(), f"the blob of {package}", ours=False)
        ]
