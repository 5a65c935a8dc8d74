"""What a run is expected to do, and past durations: for the live view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quard.face.estimate import Unit
from quard.face.outlook import Outlook
from quard.ledger.durations import Kinds
from quard.plan.image import FileSystemPlan, RootfsPlan
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
    workspace = build.workspace
    known = {unit.name: unit for unit in build.ledger.units.values()}
    units: dict[str, Unit] = {}
    for row in expected:
        if row.action == "none":
            continue
        unit, sure = known[row.name], row.action != "maybe"
        needs = tuple(dict.fromkeys(build.ledger.units[each.unit].name for each in unit.inputs))
        seconds = _seconds(past, row.name)
        if unit.is_package:
            if row.action == "restore":
                seconds = _RESTORED
            elif not workspace.at_hand(workspace.source_name(unit)):
                seconds = None  # a download takes an unknown time
        elif not isinstance(unit.plan, RootfsPlan | FileSystemPlan):
            continue
        units[row.name] = Unit(seconds, needs, sure=sure)
    return Outlook(workspace.board.name, units, past, workspace.host.site.jobs)


def _seconds(past: Mapping[str, Kinds], name: str) -> float | None:
    """Return the duration of the last build, of whatever kind."""
    kinds = list(past.get(name, {}).values())
    return kinds[-1].seconds if kinds else None
