"""`./scons tools-update`: the lock files, as the release's index is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from quard.base.errors import QuardError
from quard.base.files import replacing
from quard.tools import lockfile, packaged
from quard.tools.index import Damaged, Index
from quard.tools.lock import Lock, LockedPackage
from quard.tools.names import Names
from quard.tools.packaged import Packaged
from quard.tools.place import FILE
from quard.tools.report import Report
from quard.tools.resolve import resolve

_THREADS = 4


class Archive(Protocol):
    """A release's indexes and packages."""

    @property
    def dated(self) -> str:
        """The date of the list that the indexes are from. Raises QuardError."""

    def index(self, machine: str) -> Index:
        """Return the index for an architecture. Raises QuardError."""

    def fetch(self, package: LockedPackage) -> Path:
        """Return a package's verified file. Raises QuardError."""

    def stop(self) -> None:
        """End all fetches."""


def recorded(project: Path, names: Names) -> str:
    """Return the date of the newest list that a lock file was made from; "" if that is unknown."""
    found = (_read(project, names, machine) for machine in lockfile.MACHINES.values())
    return max((lock.dated for lock in found if lock), default="")


def update(project: Path, names: Names, archive: Archive, *, dry: bool) -> Report:
    """Write the lock files that differ from what the release has now.

    Nothing is written before everything is known.

    dry -- write nothing
    Raises QuardError, OSError.
    """
    machines = sorted(lockfile.MACHINES.values())
    old = {machine: _old(project, names, machine) for machine in machines}
    dated = archive.dated
    new = {machine: _resolved(names, archive.index(machine), dated) for machine in machines}
    present = {machine: lock for machine, lock in old.items() if lock}
    if all(_same(old[machine], new[machine]) for machine in machines):
        new = {machine: replace(lock, dated=dated) for machine, lock in present.items()}
        if not dry and new != present:
            _write(project, new.values())
        return Report(names, old, new, clashes=())
    found = _fetched(archive, (each for lock in new.values() for each in lock.packages.values()))
    _require_libraries(names, new.values(), found)
    new = {
        machine: replace(
            lock,
            packages={
                name: replace(package, commands=found[package.sha256].commands)
                for name, package in lock.packages.items()
            },
        )
        for machine, lock in new.items()
    }
    if not dry:
        _write(project, new.values())
    return Report(names, old, new, packaged.clashes(new.values(), found))


def _require_libraries(names: Names, locks: Iterable[Lock], found: Mapping[str, Packaged]) -> None:
    lines = [line for lock in locks for line in packaged.missing(lock, names.all, found)]
    if lines:
        raise QuardError(
            "programs of the pinned tools load libraries that they do not bring along",
            detail="\n".join(lines),
            reason="tools-unresolved",
            hint=f"remove the package that has the library from `omit` in {FILE}",
        )


def _write(project: Path, locks: Iterable[Lock]) -> None:
    """Write lock files; if one cannot be written, none gets its name."""
    with ExitStack() as stack:
        for lock in locks:
            path = project / lockfile.name(lock.release, lock.machine)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = stack.enter_context(replacing(path))
            part.write_text(lockfile.text(lock), encoding="utf-8")


def _read(project: Path, names: Names, machine: str) -> Lock | None:
    """Return the present lock; None if there is none that can be read."""
    try:
        return lockfile.read(project, names.release, machine)
    except QuardError:
        return None  # this command repairs whatever is wrong with it


def _old(project: Path, names: Names, machine: str) -> Lock | None:
    """Return the present lock; None if there is none that can be used as it is."""
    found = _read(project, names, machine)
    if found is None:
        return None
    text = (project / lockfile.name(names.release, machine)).read_text(encoding="utf-8")
    return found if text == lockfile.text(found) else None


def _resolved(names: Names, index: Index, dated: str) -> Lock:
    """Return the lock without the packages' commands."""
    try:
        needs = resolve(index, names.all, names.omit, names.release)
        packages = {name: _locked(index, name, needs[name]) for name in needs}
    except Damaged as fault:
        raise QuardError(
            f"the index of {names.release} for {index.machine} cannot be read",
            detail=str(fault),
            reason="bad-tools-index",
            hint="use another mirror: [tools] mirrors in local.toml",
        ) from None
    return Lock(release=names.release, machine=index.machine, packages=packages, dated=dated)


def _locked(index: Index, name: str, needs: tuple[str, ...]) -> LockedPackage:
    package = index.package(name)
    if package is None:
        raise Damaged(f"it has no {name}")
    return LockedPackage(
        name=name,
        version=package.version,
        file=package.file,
        size=package.size,
        sha256=package.sha256,
        source=package.source,
        needs=needs,
        commands=(),
        includes=package.includes,
    )


def _same(old: Lock | None, new: Lock) -> bool:
    """Return whether a lock has the packages of another one, whose commands are not known."""
    if old is None or set(old.packages) != set(new.packages):
        return False
    return all(
        replace(old.packages[name], commands=()) == new.packages[name] for name in new.packages
    )


def _fetched(archive: Archive, packages: Iterable[LockedPackage]) -> Mapping[str, Packaged]:
    """Fetch each package once; return sha256 -> what it has."""

    def one(package: LockedPackage) -> Packaged:
        return packaged.look(archive.fetch(package))

    unique = {package.sha256: package for package in packages}
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            return dict(zip(unique, pool.map(one, unique.values()), strict=True))
        except BaseException:
            archive.stop()
            pool.shutdown(cancel_futures=True)
            raise
