"""What `./scons tools-update` changed, in lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from quard.base.record import Record, record
from quard.sources.watch import amount
from quard.tools import lockfile
from quard.tools.lock import Lock, LockedPackage
from quard.tools.names import Names


@record
class Report(Record):
    """The locks before and after, by machine; equal if nothing was written.

    clashes -- paths that several packages have
    """

    names: Names
    old: Mapping[str, Lock | None]
    new: Mapping[str, Lock]
    clashes: tuple[str, ...]

    def lines(self, version: str, *, dry: bool) -> Iterator[str]:
        """Yield the lines.

        version -- of the release
        dry     -- nothing was written
        """
        release = f"{self.names.release} {version}".rstrip()
        if self.old == self.new:
            yield f"nothing new: the lock files have the packages of {release}"
            return
        for machine, lock in self.new.items():
            word = "would write" if dry else "wrote"
            path = lockfile.name(self.names.release, machine)
            yield f"{word} {path}: {release} of {lock.dated}, {_sum(lock.packages.values())}"
            old = self.old[machine]
            if old and old.packages == lock.packages:
                yield "  the same packages"
                continue
            yield from _changes(old, lock)
            for title, names in self.names.lists():
                yield f"  {title}: {_sum(lock.closure(names))}"
        yield from (f"note: {clash}" for clash in self.clashes)


def _changes(old: Lock | None, new: Lock) -> Iterator[str]:
    """Yield a line for each package that differs; none if there was no lock."""
    before: Mapping[str, LockedPackage] = old.packages if old else new.packages
    for name in sorted({*before, *new.packages}):
        was, now = before.get(name), new.packages.get(name)
        if was == now:
            continue
        if was is None:
            yield f"  added {name} {new.packages[name].version}"
        elif now is None:
            yield f"  removed {name} {was.version}"
        elif was.version != now.version:
            yield f"  {name} {was.version} -> {now.version}"
        else:
            yield f"  {name} {now.version}: {_different(was, now)}"


def _different(was: LockedPackage, now: LockedPackage) -> str:
    fields = ("file", "size", "sha256", "source", "includes", "needs", "commands")
    changed = [field for field in fields if getattr(was, field) != getattr(now, field)]
    return f"other {', '.join(changed)}"


def _sum(packages: Iterable[LockedPackage]) -> str:
    sizes = [package.size for package in packages]
    return f"{len(sizes)} packages, {amount(sum(sizes))}"
