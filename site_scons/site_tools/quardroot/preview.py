"""Reporting what a run would do, without doing it: `why`, -n, and what -c removes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.record import Record, record
from quard.face import report
from quard.face.cli import Command
from quard.ledger import summary
from quard.plan.unit import Unit
from quard.project.build import BoardBuild

from .flags import Options
from .guard import Guard

if TYPE_CHECKING:
    from quard.project.forecast import Expected, Forecast


@record
class Run(Record):
    """The run of a command line; `wanted` are its units, inputs first."""

    command: Command
    options: Options
    build: BoardBuild
    guard: Guard
    wanted: tuple[Unit, ...]


def why(command: Command, build: BoardBuild, guard: Guard) -> str:
    """Return the answer to why; like every question it changes nothing."""
    forecast = _forecast(build, guard)
    now = {
        "packages": [vars(row) for row in forecast.units(build.packages.values())],
        "images": [vars(row) for row in _images(forecast, build)],
    }
    last = summary.last(build.workspace.out / "summary.json")
    names = [build.package(name).name for name in command.names]
    needs = [unit.name for unit in build.closure(command.names)]
    return report.look_ahead(command, now, last, names, needs, killed=guard.was_killed)


def removable(run: Run) -> tuple[Path, ...]:
    """Return what -c removes: files, and folders of what the next images are made with."""
    if run.command.verb == "source":
        return ()
    found = [path for unit in run.wanted for path in run.build.ledger.targets(unit)]
    kept = [path for unit in run.wanted for path in run.build.images.kept(unit)]
    return tuple(path for path in (*found, *kept) if path.exists())


def told(run: Run, before: Iterable[Path]) -> str:
    """Return what a run without builds would have done, or what it removed; "" for -q.

    before -- result of `removable` at the start of the run
    """
    dry, workspace = run.options.no_exec, run.build.workspace
    if run.options.clean:
        gone = [path for path in before if dry or not path.exists()]
        files = [str(path.relative_to(workspace.out)) for path in gone]
        return report.cleaned(files, str(workspace.out.relative_to(workspace.project)), would=dry)
    return _dry_run(run) if dry else ""


def _dry_run(run: Run) -> str:
    """Return what the command would do, in the form of why."""
    build = run.build
    if run.command.verb == "source":
        workspace = build.workspace
        names = dict.fromkeys(map(workspace.source_name, build.image))
        missing = [name for name in names if not workspace.at_hand(name)]
        return report.fetching(missing)
    forecast = _forecast(build, run.guard)
    wanted = {unit.name for unit in run.wanted if unit.is_package}
    rows = [row for row in forecast.units(build.packages.values()) if row.name in wanted]
    if not all(unit.is_package for unit in run.wanted):
        rows += _images(forecast, build)
    return report.ahead([vars(row) for row in rows])


def expected(run: Run, changed: Iterable[Unit]) -> tuple[Expected, ...]:
    """Return what would happen to units that are not known to be up to date, inputs first.

    No other unit is examined: on a large board these may be very few.
    """
    return _forecast(run.build, run.guard).units(changed)


def _images(forecast: Forecast, build: BoardBuild) -> list[Expected]:
    """Return what would happen to the image files, sorted by name."""
    return sorted(forecast.units(build.images.units.values()), key=lambda row: row.name)


def _forecast(build: BoardBuild, guard: Guard) -> Forecast:
    from quard.project import forecast  # noqa: PLC0415 - a null build looks at nothing ahead

    return forecast.Forecast(build, guard.unfinished(), signed=guard.signed)
