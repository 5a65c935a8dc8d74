"""Roots: folders with exactly the packages of one closure, which builds see as their system.

    packages/SHA256   what a root holds of one package
    bytecode/DIGEST   compiled modules of one package for one version of Python
    roots/DIGEST      hard links to the files of several packages, and links that the project makes
    roots/DIGEST.json what the root was made of, for people

Everything is made under another name and renamed, so what exists is complete. Roots share the space
of their packages and stay whole if these are removed.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.canonical import typed_digest
from quard.process.stop import Stop
from quard.process.system import System
from quard.tools import whole
from quard.tools.layout import VERSION
from quard.tools.lock import LockedPackage

if TYPE_CHECKING:
    from quard.tools.making import Making

_HOUR = 3600.0


class Roots:
    """The roots below one folder. Several threads and processes may use it at once.

    folder -- of all packages and roots, shared by all checkouts of a user
    fetch  -- returns a package's file, verified; called by several threads
    report -- called with a line of text when this takes a while
    stop   -- ends everything
    """

    def __init__(
        self,
        folder: Path,
        fetch: Callable[[LockedPackage], Path],
        report: Callable[[str], None],
        stop: Stop,
    ) -> None:
        self._folder = folder
        self._surroundings = (folder, fetch, report, stop)

    def digest(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> str:
        """Return the digest of the root that these packages and links make, for keys.

        links -- path -> text of a link; those that lead to no file of the root are not made
        """
        hashes = sorted(package.sha256 for package in packages)
        return typed_digest({"layout": VERSION, "links": dict(links), "packages": hashes})

    def place(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> Path:
        """Return where the root is, or would be."""
        return self._folder / "roots" / self.digest(packages, links)

    def has(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> bool:
        """Return whether the root has been made."""
        return whole.is_whole(self.place(packages, links))

    def prepare(self, packages: Sequence[LockedPackage]) -> None:
        """Fetch and unpack packages of which several roots will be made. Raises as `provide`."""
        if packages:
            self._making().packages(packages)

    def provide(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> System:
        """Return the root; fetch, unpack and make what is missing.

        Raises QuardError: bad-deb, tools-conflict, tools-noexec, tools-unavailable,
        disk-full, cache-unusable, interrupted, and what `fetch` raises.
        """
        place = self.place(packages, links)
        if not whole.is_whole(place):
            self._making().root(place, packages, links)
        self._note_use(place.with_name(f"{place.name}.json"))
        # The cache may be behind a link; compilers give paths that have none.
        return System(place.resolve())

    def _making(self) -> Making:
        # Unpacking needs modules that a null build need not load.
        from quard.tools.making import Making  # noqa: PLC0415

        return Making(*self._surroundings)

    def _note_use(self, description: Path) -> None:
        """Note in a file's time that its root is used; see quard.tools.unused."""
        with contextlib.suppress(OSError):  # somebody else's cache: nothing is removed there
            if description.stat().st_mtime < time.time() - _HOUR:
                os.utime(description)
