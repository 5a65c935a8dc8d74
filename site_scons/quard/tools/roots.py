"""Roots: folders with exactly the packages of one closure, which builds see as their system.

    packages/SHA256   what a root holds of one package
    bytecode/DIGEST   compiled modules of one package for one version of Python
    roots/DIGEST      hard links to the files of several packages, and links that the project makes
    roots/DIGEST.json what the root was made of, for people
    KIND/NAME.files   what the folder must hold, see `listing`

Everything is made under another name and renamed, so what exists is complete. Roots share the space
of their packages and stay whole if these are removed. Each root is compared with its listing before
its first use in a run, and a package before a root is made of it: what is damaged is made again.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.canonical import typed_digest
from quard.process.stop import Stop
from quard.process.system import System
from quard.tools import listing, whole
from quard.tools.layout import VERSION
from quard.tools.lock import LockedPackage

if TYPE_CHECKING:
    from quard.tools.making import Making

_HOUR = 3600.0


class Roots:
    """The roots below one folder. Several threads and processes may use it at once.

    folder -- of all packages and roots, shared by all checkouts of a user
    fetch  -- returns a package's file, verified; called by several threads
    report -- called with a line of text when this takes a while, and for damage
    stop   -- ends everything
    look   -- finds damage
    """

    def __init__(
        self,
        folder: Path,
        fetch: Callable[[LockedPackage], Path],
        report: Callable[[str], None],
        stop: Stop,
        look: listing.Look = listing.quick,
    ) -> None:
        self._folder = folder
        self._report = report
        self._look = look
        self._surroundings = (folder, fetch, report, stop, look)
        self._looking = threading.Lock()
        self._seen: dict[Path, bool] = {}
        """Root -> whether it is undamaged; each is looked at once in a run."""

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
        """Return whether the root has been made; it may be damaged."""
        return whole.is_whole(self.place(packages, links))

    def prepare(self, packages: Sequence[LockedPackage]) -> None:
        """Fetch and unpack packages of which several roots will be made. Raises as `provide`."""
        if packages:
            self._making().packages(packages)

    def owners(
        self, packages: Sequence[LockedPackage], paths: Iterable[str]
    ) -> dict[str, LockedPackage]:
        """Return which of a root's packages has each of these paths in it, if any has.

        Raises as `provide` does: what is unpacked again has to be fetched.
        """
        self.prepare(packages)
        waiting, found = set(paths), dict[str, LockedPackage]()
        for package in packages:
            content = self._folder / "packages" / package.sha256
            mine = {path for path in waiting if os.path.lexists(content / path)}
            found.update(dict.fromkeys(mine, package))
            waiting -= mine
        return found

    def ready(self, digest: str) -> System | None:
        """Return the root with a digest; None if it has to be made first, or described."""
        place = self._folder / "roots" / digest
        return System(place.resolve()) if self._is_sound(place) and _note_use(place) else None

    def provide(self, packages: Sequence[LockedPackage], links: Mapping[str, str]) -> System:
        """Return the root; fetch, unpack and make what is missing or damaged.

        Raises QuardError: bad-deb, tools-conflict, tools-noexec, tools-unavailable,
        disk-full, cache-unusable, interrupted, and what `fetch` raises.
        """
        place = self.place(packages, links)
        if not self._is_sound(place):
            self._making().root(place, packages, links)
            self._seen[place] = True
        if not _note_use(place):
            from quard.tools.making import describe  # noqa: PLC0415

            with contextlib.suppress(OSError):  # somebody else's cache: nothing is removed there
                describe(place, packages, links)
        # The cache may be behind a link; compilers give paths that have none.
        return System(place.resolve())

    def _making(self) -> Making:
        # Unpacking needs modules that a null build need not load.
        from quard.tools.making import Making  # noqa: PLC0415

        return Making(*self._surroundings)

    def _is_sound(self, place: Path) -> bool:
        """Return whether a root is there and undamaged; report damage."""
        with self._looking:
            if not whole.is_whole(place):
                return False
            if place not in self._seen:
                damage = self._look(place)
                self._seen[place] = not damage
                if damage:
                    shown = place.relative_to(self._folder.parent)
                    self._report(f"{shown} is damaged and made again: {damage}")
            return self._seen[place]


def _note_use(place: Path) -> bool:
    """Note in a file's time that its root is used, see quard.tools.unused.

    Returns whether the file is there.
    """
    description = place.with_name(f"{place.name}.json")
    with contextlib.suppress(OSError):  # somebody else's cache: nothing is removed there
        try:
            if description.stat().st_mtime < time.time() - _HOUR:
                os.utime(description)
        except FileNotFoundError:
            return False
    return True
