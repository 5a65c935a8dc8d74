"""The timeline of a run, from what its console has recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quard.face.timeline import Run, Timeline, timeline
from quard.project.build import BoardBuild


def found(build: BoardBuild, summary: Mapping[str, Any]) -> Timeline:
    """Return the timeline of a run with this summary.json."""
    workspace, units = build.workspace, build.ledger.units
    ended_early = {*summary["unfinished"]} if summary["interrupted"] else set()
    spans = [
        replace(span, how="interrupted")
        if span.how == "failed" and span.name in ended_early
        else span
        for span in workspace.console.spans
    ]
    names = {span.name for span in spans}
    needs = {
        unit.name: tuple(dict.fromkeys(units[each.unit].name for each in unit.inputs))
        for unit in units.values()
        if unit.name in names
    }
    state = "failed" if summary["failed"] else "done"
    run = Run(
        board=workspace.board.name,
        state="interrupted" if summary["interrupted"] else state,
        seconds=summary["seconds"],
        jobs=workspace.host.site.jobs,
        idle=summary.get("idle"),
        needs=needs,
        why={built["name"]: built["why"] for built in summary["built"]},
    )
    return timeline(spans, workspace.console.started, run)
