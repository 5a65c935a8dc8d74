"""What a run is expected to do and how long that took the last time: for the live view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quard.face.estimate import Unit
from quard.face.outlook import Outlook
from quard.ledger.durations import Kinds
from quard.plan.resolve import Resolved
from quard.project.forecast import Expected
from quard.project.images import FILES, ROOTFS, Images
from quard.project.workshop import Workshop

_RESTORED = 0.2
"""Seconds for what comes out of the store."""


def outlook(
    expected: Iterable[Expected],
    workshop: Workshop,
    resolved: Resolved,
    images: Images | None,
    past: Mapping[str, Kinds],
) -> Outlook:
    """Return it; `expected` has packages, `images` is None where the run is about none."""
    units: dict[str, Unit] = {}
    for row in expected:
        if row.action == "none":
            continue
        plan = resolved.plans[row.name]
        seconds = _RESTORED if row.action == "restore" else _seconds(past, row.name)
        if row.action != "restore" and not workshop.at_hand(row.name):
            seconds = None  # nobody knows how long a server takes
        needs = (*plan.needs, *plan.links)
        units[row.name] = Unit(seconds, needs, sure=row.action != "maybe")
    if units and images:
        for name in (ROOTFS, *(FILES[kind] for kind in images.formats)):
            needs = resolved.image if name == ROOTFS else (ROOTFS,)
            # Where it is there, it is made again if what the packages install is not the same.
            sure = not (images.folder / name).exists()
            units[name] = Unit(_seconds(past, name), needs, sure=sure)
    return Outlook(workshop.board.name, units, past, workshop.site.jobs)


def _seconds(past: Mapping[str, Kinds], name: str) -> float | None:
    """Return what it took the last time, whatever kind of build that was."""
    kinds = list(past.get(name, {}).values())
    return kinds[-1].seconds if kinds else None
