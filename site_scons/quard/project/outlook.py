"""What a run is expected to do, and past durations: for the live view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quard.face.estimate import Unit
from quard.face.outlook import Outlook
from quard.ledger.durations import Kinds
from quard.plan.board import FILES, ROOTFS
from quard.project.build import BoardBuild
from quard.project.forecast import Expected

_RESTORED = 0.2
"""Seconds for a package that is restored from the store."""


def outlook(
    expected: Iterable[Expected],
    build: BoardBuild,
    past: Mapping[str, Kinds],
) -> Outlook:
    """Return the outlook; `expected` has packages and image files in the form of `why`."""
    workshop, resolved = build.workshop, build.resolved
    units: dict[str, Unit] = {}
    for row in expected:
        if row.action == "none":
            continue
        sure = row.action != "maybe"
        if plan := resolved.plans.get(row.name):
            seconds = _RESTORED if row.action == "restore" else _seconds(past, row.name)
            if row.action != "restore" and not workshop.at_hand(row.name):
                seconds = None  # a download takes an unknown time
            units[row.name] = Unit(seconds, (*plan.needs, *plan.links), sure=sure)
        elif row.name in (ROOTFS, *FILES.values()):
            needs = resolved.image if row.name == ROOTFS else (ROOTFS,)
            units[row.name] = Unit(_seconds(past, row.name), needs, sure=sure)
    return Outlook(workshop.board.name, units, past, workshop.site.jobs)


def _seconds(past: Mapping[str, Kinds], name: str) -> float | None:
    """Return the duration of the last build, of whatever kind."""
    kinds = list(past.get(name, {}).values())
    return kinds[-1].seconds if kinds else None
