"""What a run shows to people, and what it records for the next run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quard.base.files import replace
from quard.face import report
from quard.face.cli import Command
from quard.face.console import Console

from . import opened, streams

if TYPE_CHECKING:
    from quard.plan.unit import Unit
    from quard.project.build import BoardBuild

    from .preview import Run

_File = tuple[Path, Callable[[Path], None]]
"""A file, and what writes it."""


def console(command: Command, *, silent: bool) -> Console:
    """Return the console of a command."""
    told = opened.told_to(command)
    share = streams.share if streams.can_draw(told, os.environ) else None
    colours = streams.has_colours(os.environ)
    return Console(told, sys.stdout, silent=silent, share=share, colours=colours)


def expect(run: Run, changed: Iterable[Unit]) -> None:
    """Give the live view what the run is expected to do; without one, do nothing."""
    workspace = run.build.workspace
    if not workspace.console.is_live:
        return
    # Only for a terminal, and only if there is something to make.
    from quard.ledger import durations  # noqa: PLC0415
    from quard.project.outlook import outlook  # noqa: PLC0415

    from .preview import expected  # noqa: PLC0415

    past = durations.read(workspace.out / durations.FILE, workspace.host.site.jobs)
    found = outlook(expected(run, changed), run.build, past)
    workspace.console.expect(found)


def remember(build: BoardBuild, summary: dict[str, Any]) -> None:
    """Record what a run has done, and how long that took."""
    workspace = build.workspace
    files = [(workspace.out / "summary.json", _writing(lambda: report.as_json(summary)))]
    if workspace.console.taken:
        files += _durations(build)
    if workspace.console.spans:
        files += _timeline(build, summary)
    for path, function in files:
        try:
            function(path)
        except OSError as error:
            workspace.console.warn(f"{path.name} cannot be written: {error.strerror}")


def _durations(build: BoardBuild) -> list[_File]:
    """Return the files that say how long everything took: the board's, and that of all boards."""
    from quard.ledger import durations  # noqa: PLC0415 - a null build has no durations

    workspace = build.workspace
    here = workspace.console.taken
    units = {unit.name: unit for unit in build.packages.values()}
    everywhere = {units[name].anywhere: steps for name, steps in here.items() if name in units}
    jobs = workspace.host.site.jobs
    files: list[_File] = [
        (workspace.out / durations.FILE, lambda path: durations.keep(path, jobs, here))
    ]
    if everywhere:
        shared = workspace.host.durations
        files.append((shared, lambda path: durations.keep(path, jobs, everywhere)))
    return files


def _timeline(build: BoardBuild, summary: dict[str, Any]) -> list[_File]:
    """Return the files that show when the run worked on what."""
    from quard.face.timelinepage import page  # noqa: PLC0415 - a null build has none
    from quard.face.trace import trace  # noqa: PLC0415
    from quard.project.timelines import found  # noqa: PLC0415

    line, out = found(build, summary), build.workspace.out
    return [
        (out / "timeline.json", _writing(lambda: report.as_json(trace(line)))),
        (out / "timeline.html", _writing(lambda: page(line))),
    ]


def _writing(text: Callable[[], str]) -> Callable[[Path], None]:
    """Return what writes a text, which is only made then."""

    def write(path: Path) -> None:
        replace(path, text().encode())

    return write
