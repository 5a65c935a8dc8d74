"""What a run has to do, which is known before SCons is needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from quard.face.cli import Command
from quard.plan.unit import Unit
from quard.project.build import BoardBuild
from quard.project.workspace import Workspace
from quard.sources import availability
from quard.sources.availability import Decision

from . import equip, opened, showing, signals
from .flags import Options
from .guard import Guard
from .selection import Selection


class Prepared:
    """The units of one run, and which of them it may change.

    Making one takes the decisions about optional sources and chooses the tools. Raises QuardError.
    """

    def __init__(
        self, command: Command, workspace: Workspace, guard: Guard, options: Options
    ) -> None:
        self.command = command
        self.workspace = workspace
        self.guard = guard
        self.options = options
        self._decisions = self._decide() if options.works else ()
        decided = {decision.key: decision.on for decision in self._decisions}
        roots = workspace.resolve(workspace.recorded() | decided, command.names)
        workspace.remember()
        self.build = BoardBuild(workspace, roots)
        self.selection = self._select()
        self._started = time.monotonic()
        if guard.cut_off:
            workspace.host.sweep()

    @property
    def wanted(self) -> tuple[Unit, ...]:
        """The packages that this run makes or fetches, in build order."""
        build = self.build
        if self.command.opens:
            return build.closure(unit.name for unit in opened.needs(self.command, build))
        return build.closure(self.command.names) if self.command.names else build.image

    @property
    def makes_images(self) -> bool:
        """Whether this run makes the board's images."""
        command = self.command
        return not (command.names or command.opens or command.verb == "source")

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units that this run makes, inputs first."""
        if self.command.verb == "source":
            return ()
        images = self.build.images.units.values() if self.makes_images else ()
        return (*self.wanted, *images)

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be made, and nothing is done after it was made."""
        makes = self.options.works and self.command.verb in ("images", "build")
        return makes and not self.selection.changed

    def close(self) -> None:
        """Write the summary of a run that is done without SCons, and print the last lines."""
        signals.end_quietly(self.workspace.host.stop)
        self.workspace.console.close()
        self.conclude((), lambda: True, ended_early=False)

    def conclude(
        self, current: Iterable[str], is_whole: Callable[[], bool], *, ended_early: bool
    ) -> None:
        """Write the summary of a run that works, and print the last lines.

        current  -- packages that SCons has found up to date
        is_whole -- returns whether every image is up to date; called for a run that makes images
        """
        workspace = self.workspace
        seconds = time.monotonic() - self._started
        same = self.selection.unchanged
        unchanged = [u.name for u in self.selection.wanted if u.is_package and u.id in same]
        names = tuple(sorted({*current, *unchanged}))
        idle = workspace.host.jobserver.idle(seconds) if workspace.summary.used_slots else None
        stopped = workspace.host.stop.requested
        summary = workspace.summary.as_json(names, seconds, interrupted=stopped, idle=idle)
        showing.remember(self.build, summary)
        self._tell_decisions()
        if summary["built"] or summary["restored"]:
            from quard.project.shrinking import shrink_after  # noqa: PLC0415

            shrink_after(workspace.host, workspace.settings, workspace.console)
        if self.makes_images and (problem := self.build.images.coherence.end(whole=is_whole())):
            workspace.console.warn(problem)
        for line in workspace.host.finish():
            workspace.console.note(line)
        workspace.console.note(workspace.summary.line(seconds, whole=not ended_early, idle=idle))

    def _select(self) -> Selection:
        """Determine which units this run may change, and record the state before it."""
        build, workspace, works = self.build, self.workspace, self.options.works
        if self.makes_images and works:
            build.images.remove_others()
            build.images.vet()
        if self.wanted or self.command.opens:
            source = self.command.verb == "source"
            equip.choose(workspace, self.guard, fetch=works, source=source)
            if source and works:
                workspace.host.tooling.provide((*self.wanted, *build.images.units.values()))
        clean = self.options.clean
        found = Selection(build, self.units, build.forced, self.guard, all_of_them=clean)
        packages = [unit for unit in found.changed if unit.is_package]
        if packages and not clean:
            if self.makes_images and works:
                self._check_early()
            workspace.host.decide_sealing()
        if works:
            if packages or self.command.opens:
                workspace.require_places(packages)
            elif self.command.verb == "source":
                workspace.require_sources(map(workspace.source_name, self.wanted))
        return found

    def _check_early(self) -> None:
        """Check what recipes say about images: that of known packages now, of others when made."""
        from quard.project.early import Early  # noqa: PLC0415 - few runs make a package

        early = Early(self.build)
        early.check_known(self.build.image)
        self.build.check = early.check

    def _decide(self) -> tuple[Decision, ...]:
        workspace, command = self.workspace, self.command
        decisions = workspace.decide(command.names, again=command.verb == "source")
        for decision in decisions:
            if not decision.on:
                if command.strict:
                    workspace.forget_decisions()
                    raise availability.strict(decision, workspace.host.sources)
                if decision.key in workspace.fresh:
                    workspace.console.note(availability.block(decision, workspace.host.sources))
        return decisions

    def _tell_decisions(self) -> None:
        """Print which features are off because a source is not available."""
        workspace = self.workspace
        for decision in self._decisions:
            if not decision.on:
                workspace.console.note(
                    f"note: {decision.package} is without {decision.feature}"
                    f" ({', '.join(decision.missing)} is not available:"
                    f" out/{workspace.board.name}/availability.json says what was tried)"
                )
