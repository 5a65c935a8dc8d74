"""How urgent each unit of a run is: the time from its start to the end of the run, at least."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from quard.ledger import durations
from quard.plan.image import FileSystemPlan
from quard.plan.unit import Unit
from quard.project.build import BoardBuild

_PER_MIB = 10.0
"""Seconds that a build takes per MiB of its source, as long as no build is known here."""
_SMALL = 1.0
"""Seconds for a package whose source has no known size, and for a file that is no file system."""
_FORMATS = {"cpio.gz": 1.0, "squashfs": 0.3, "ext4": 0.1}
"""Format -> seconds for a small root file system of which nothing is kept from an earlier build."""
_MIB = 1 << 20


def urgency(build: BoardBuild, units: Sequence[Unit]) -> dict[str, float]:
    """Return unit id -> the seconds of the longest chain of units that begins with it.

    units -- all that the run may make, inputs first
    """
    sizes = {unit.id: build.source_size(unit) / _MIB for unit in units if unit.is_package}
    known = _known(build, units) if units else {}
    return chains(units, estimates(units, known, sizes))


def chains(units: Sequence[Unit], seconds: Mapping[str, float]) -> dict[str, float]:
    """Return unit id -> the seconds of the longest chain of units that begins with it."""
    found: dict[str, float] = {}
    above: dict[str, float] = {}
    for unit in reversed(units):
        found[unit.id] = seconds[unit.id] + above.get(unit.id, 0.0)
        for each in unit.inputs:
            above[each.unit] = max(above.get(each.unit, 0.0), found[unit.id])
    return found


def estimates(
    units: Iterable[Unit], known: Mapping[str, float], sizes: Mapping[str, float]
) -> dict[str, float]:
    """Return unit id -> how long it takes: as last time, or in proportion to its source.

    known -- unit id -> seconds of its last build
    sizes -- unit id -> MiB of its source, 0 if that is not known
    """
    both = [name for name in known if sizes.get(name)]
    total = sum(sizes[name] for name in both)
    rate = sum(known[name] for name in both) / total if total else _PER_MIB
    return {
        unit.id: known.get(unit.id, max(_usual(unit), rate * sizes.get(unit.id, 0.0)))
        for unit in units
    }


def _usual(unit: Unit) -> float:
    if isinstance(unit.plan, FileSystemPlan):
        return _FORMATS.get(unit.plan.format, _SMALL)
    return _SMALL


def _known(build: BoardBuild, units: Iterable[Unit]) -> dict[str, float]:
    """Return unit id -> seconds of its last build here; of a package, in any checkout's build.

    Times with another number of jobs are better than none.
    """
    jobs = build.workspace.host.site.jobs
    here = durations.latest(build.workspace.out / durations.FILE, jobs)
    elsewhere = durations.latest(build.workspace.host.durations, jobs)
    found = {}
    for unit in units:
        seconds = here.get(unit.name)
        if seconds is None and unit.is_package:
            seconds = elsewhere.get(unit.anywhere)
        if seconds is not None:
            found[unit.id] = seconds
    return found
