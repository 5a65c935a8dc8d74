"""What a run is expected to do and how long that took the last time: for the live view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quard.face.estimate import Unit
from quard.face.outlook import Outlook
from quard.ledger.durations import Kinds
from quard.plan.resolve import Resolved
from quard.project.forecast import Expected
from quard.project.images import FILES, ROOTFS
from quard.project.workshop import Workshop

_RESTORED = 0.2
"""Seconds for what comes out of the store."""


def outlook(
    expected: Iterable[Expected],
    workshop: Workshop,
    resolved: Resolved,
    past: Mapping[str, Kinds],
) -> Outlook:
    """Return it; `expected` has packages and image files in the words of `why`."""
    units: dict[str, Unit] = {}
    for row in expected:
        if row.action == "none":
            continue
        if plan := resolved.plans.get(row.name):
            seconds = _RESTORED if row.action == "restore" else _seconds(past, row.name)
            if row.action != "restore" and not workshop.at_hand(row.name):
                seconds = None  # nobody knows how long a server takes
            needs = (*plan.needs, *plan.links)
            units[row.name] = Unit(seconds, needs, sure=row.action != "maybe")
        elif row.name in (ROOTFS, *FILES.values()):
            needs = resolved.image if row.name == ROOTFS else (ROOTFS,)
            seconds = _seconds(past, row.name)
            units[row.name] = Unit(seconds, needs, sure=row.action != "maybe")
    return Outlook(workshop.board.name, units, past, workshop.site.jobs)


def _seconds(past: Mapping[str, Kinds], name: str) -> float | None:
    """Return what it took the last time, whatever kind of build that was."""
    kinds = list(past.get(name, {}).values())
    return kinds[-1].seconds if kinds else None
