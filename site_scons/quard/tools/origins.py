"""Which binary package a file comes from, and which source packages that is built from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quard.process.starting import run
from quard.tools.lock import LockedPackage

_BATCH = 500
"""Paths for one call of dpkg-query."""
_FIELDS = "${binary:Package}\t${Version}\t${source:Package} ${source:Version}\t${Built-Using}\n"
_USED = re.compile(r"([a-z0-9][a-z0-9+.-]*) \(= ([^)\s]+)\)")
"""An entry of Built-Using (deb-control(5))."""


@dataclass(frozen=True, order=True)
class Origin:
    """A binary package.

    source   -- name and version of its source package, separated by a space
    includes -- other source packages of which it has parts, likewise; a package of cross tools has
                all of its code from these
    sha256   -- of the binary package; "": not known
    """

    package: str
    version: str
    source: str
    includes: tuple[str, ...]
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return {
            "package": self.package,
            "version": self.version,
            "source": self.source,
            "includes": self.includes,
            "sha256": self.sha256,
        }


def locked(package: LockedPackage) -> Origin:
    """Return a package of the lock as an origin."""
    return Origin(package.name, package.version, package.source, package.includes, package.sha256)


def included(text: str) -> tuple[str, ...]:
    """Return the source packages of a field Built-Using, as name and version, sorted."""
    return tuple(sorted({f"{name} {version}" for name, version in _USED.findall(text)}))


def installed(paths: Iterable[Path]) -> dict[Path, Origin]:
    """Return the installed Debian packages that have these files of the machine.

    A file that no package has is left out, as are all of them where there is no dpkg.
    """
    owners: dict[Path, str] = {}
    waiting = sorted(set(paths))
    for start in range(0, len(waiting), _BATCH):
        words = [str(path) for path in waiting[start : start + _BATCH]]
        for line in _query("--search", *words).splitlines():
            names, _, path = line.partition(": ")
            if path.startswith("/") and not line.startswith("diversion "):
                owners[Path(path)] = names.partition(",")[0]
    if not owners:
        return {}
    shown = _query("--show", f"--showformat={_FIELDS}", *sorted(set(owners.values())))
    known: dict[str, Origin] = {}
    for line in shown.splitlines():
        name, version, source, used = line.split("\t")
        origin = Origin(name.partition(":")[0], version, source, included(used), "")
        known[name] = known[origin.package] = origin
    return {path: known[name] for path, name in owners.items() if name in known}


def _query(*words: str) -> str:
    """Return what dpkg-query prints; it fails if one of several files has no package."""
    try:
        done = run(("dpkg-query", *words), env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    except FileNotFoundError:
        return ""
    return done.stdout.decode(errors="surrogateescape")


def grouped(files: Mapping[str, Path], found: Mapping[Path, Origin]) -> list[dict[str, Any]]:
    """Return the origins of files for a record: each with its files, sorted by package.

    files -- installed path -> file that was copied
    What no package has comes first, with an empty package.
    """
    nowhere = Origin("", "", "", (), "")
    by: dict[Origin, list[str]] = {}
    for path, place in sorted(files.items()):
        by.setdefault(found.get(place, nowhere), []).append(path)
    return [{**origin.as_json(), "files": paths} for origin, paths in sorted(by.items())]
