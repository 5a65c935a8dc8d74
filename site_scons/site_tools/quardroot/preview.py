"""What a run would do, told without doing it: `why`, -n, and what -c removes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import SCons.Script

from quard.face import report
from quard.face.cli import Command
from quard.ledger import summary
from quard.plan.resolve import Resolved
from quard.project.images import Images
from quard.project.workshop import Workshop

from .guard import Guard

if TYPE_CHECKING:
    from quard.project.forecast import Expected, Forecast


@dataclass(frozen=True)
class Run:
    """What a command line is about.

    wanted -- its packages, in building order
    images -- the board's images; None where it is about none
    """

    command: Command
    workshop: Workshop
    resolved: Resolved
    guard: Guard
    wanted: tuple[str, ...]
    images: Images | None


def why(command: Command, workshop: Workshop, resolved: Resolved, guard: Guard) -> str:
    """Return the answer to why; like every question it changes nothing."""
    forecast = _forecast(workshop, resolved, guard)
    now = {
        "packages": [vars(row) for row in forecast.packages(resolved.graph.order)],
        "images": [vars(row) for row in forecast.images(Images(workshop, resolved))],
    }
    last = summary.last(workshop.out / "summary.json")
    needs = resolved.graph.closure(command.names)
    return report.look_ahead(command, now, last, needs, killed=guard.was_killed)


def removable(run: Run) -> tuple[Path, ...]:
    """Return the files that -c removes."""
    if run.command.verb == "source":
        return ()
    workshop, plans = run.workshop, run.resolved.plans
    found = [path for n in run.wanted for path in workshop.results(n).targets(plans[n].deploys)]
    found += run.images.files() if run.images else ()
    return tuple(path for path in found if path.exists())


def told(run: Run, before: Iterable[Path]) -> str:
    """Return what a run that makes nothing would have done, or what it has removed; "" for -q.

    before -- what `removable` returned when it began
    """
    dry, workshop = bool(SCons.Script.GetOption("no_exec")), run.workshop
    if SCons.Script.GetOption("clean"):
        gone = [path for path in before if dry or not path.exists()]
        files = [str(path.relative_to(workshop.out)) for path in gone]
        return report.cleaned(files, str(workshop.out.relative_to(workshop.project)), would=dry)
    return _dry_run(run) if dry else ""


def _dry_run(run: Run) -> str:
    """Return what the command would do, in the words of why."""
    workshop, resolved = run.workshop, run.resolved
    if run.command.verb == "source":
        return report.fetching([n for n in resolved.image if not workshop.at_hand(n)])
    forecast = _forecast(workshop, resolved, run.guard)
    rows = [vars(row) for row in forecast.packages(resolved.graph.order)]
    rows = [row for row in rows if row["name"] in run.wanted]
    if run.images:
        rows += [vars(row) for row in forecast.images(run.images)]
    return report.ahead(rows)


def expected(run: Run, changed: Iterable[str]) -> tuple[Expected, ...]:
    """Return what would happen to packages that are not known to be up to date.

    No more than these and what they need is looked at: on a large board that may be very little.
    """
    forecast = _forecast(run.workshop, run.resolved, run.guard)
    return forecast.packages(run.resolved.graph.closure(changed))


def _forecast(workshop: Workshop, resolved: Resolved, guard: Guard) -> Forecast:
    from quard.project import forecast  # noqa: PLC0415 - a null build looks at nothing ahead

    return forecast.Forecast(
        workshop, resolved, guard.unfinished(), signed=guard.signed, forced=workshop.site.force
    )
