"""One run of SCons: from the command line to the nodes and their actions."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import SCons.Script
from SCons.Node import Node, executed, up_to_date

from quard.face.cli import Command
from quard.plan.unit import Unit
from quard.project.build import BoardBuild
from quard.project.recovery import Recovery
from quard.project.workspace import Workspace
from quard.sources import availability
from quard.sources.availability import Decision

from . import ahead, equip, opened, showing, signals
from .acting import Actions
from .guard import Guard
from .selection import Selection

if TYPE_CHECKING:
    from .preview import Run

_LAST: list[Callable[[], None]] = []
"""Run after all other exit handlers: the process may become another program."""


def _last() -> None:
    for function in _LAST:
        function()


# Registered before all others, so it runs after them.
atexit.register(_last)


class Session:
    """The state of one run; made by `env.Board()`."""

    def __init__(self, command: Command, workspace: Workspace, guard: Guard) -> None:
        self.command = command
        self.workspace = workspace
        self.guard = guard
        self.decisions = self._decide() if self.works else ()
        decided = {decision.key: decision.on for decision in self.decisions}
        roots = workspace.resolve(workspace.recorded() | decided, command.names)
        workspace.remember()
        self.build = BoardBuild(workspace, roots)
        self.selection = self._select()
        self.nodes: dict[str, list[Node]] = {}
        self.recovery = Recovery(self.build, self._is_done)
        self.act = Actions(workspace, guard, self.recovery).act
        self._removable = self._find_removable()
        if self.works and self.changed and self.command.verb != "source":
            showing.expect(self._run, self.changed)
            self._prepare_order()
        self._started = time.monotonic()
        if guard.cut_off:
            workspace.host.sweep()
        signals.heed(workspace.host.stop, workspace.console)
        atexit.register(self._close)

    @property
    def works(self) -> bool:
        """Whether this run makes anything: not for -c, -n and -q."""
        return not any(SCons.Script.GetOption(n) for n in ("clean", "no_exec", "question"))

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
    def changed(self) -> tuple[Unit, ...]:
        """The units that SCons examines, inputs first."""
        return self.selection.changed

    def changed_inputs(self, unit: Unit) -> tuple[Unit, ...]:
        """Return the units that SCons examines before a unit, the most urgent first."""
        ids = {each.unit for each in unit.inputs} - self.selection.unchanged
        urgency, units = self.build.urgency, self.build.ledger.units
        return tuple(
            sorted((units[each] for each in ids), key=lambda u: (-urgency.get(u.id, 0.0), u.id))
        )

    def _find_removable(self) -> tuple[Path, ...]:
        """Return the files that -c removes; none in a run without it."""
        if not SCons.Script.GetOption("clean"):
            return ()
        from . import preview  # noqa: PLC0415

        return preview.removable(self._run)

    @property
    def _run(self) -> Run:
        """The run, for reports on it."""
        from .preview import Run  # noqa: PLC0415 - a build that makes something does without

        return Run(self.command, self.build, self.guard, self._units())

    def _units(self) -> tuple[Unit, ...]:
        """Return the units that this run makes, inputs first."""
        if self.command.verb == "source":
            return ()
        images = self.build.images.units.values() if self.makes_images else ()
        return (*self.wanted, *images)

    def _select(self) -> Selection:
        """Determine which units SCons examines, and record the state before the run."""
        build, workspace = self.build, self.workspace
        if self.makes_images and self.works:
            build.images.remove_others()
            build.images.vet()
        if self.wanted or self.command.opens:
            source = self.command.verb == "source"
            equip.choose(workspace, self.guard, fetch=self.works, source=source)
            if source and self.works:
                workspace.host.tooling.provide((*self.wanted, *build.images.units.values()))
        clean = bool(SCons.Script.GetOption("clean"))
        found = Selection(build, self._units(), build.forced, self.guard, all_of_them=clean)
        packages = [unit for unit in found.changed if unit.is_package]
        if packages and not clean:
            workspace.host.decide_sealing()
        if self.works:
            if packages or self.command.opens:
                workspace.require_places(packages)
            elif self.command.verb == "source":
                workspace.require_sources(map(workspace.source_name, self.wanted))
        return found

    def _prepare_order(self) -> None:
        """Have the units of the longest chain of remaining work begin first."""
        from quard.project.urgency import urgency  # noqa: PLC0415 - a null build begins nothing

        self.build.urgency = urgency(self.build, self.changed)
        ahead.start_more(self.workspace.host.jobs_elsewhere)
        if not self.command.opens:  # Ctrl-C is then for the command that has the terminal
            signals.relay()

    def run_at_end(self) -> None:
        """Start the machine once everything is written and the tree's lock is released."""
        if not self.works:
            return
        from quard.machine import runscript  # noqa: PLC0415 - few builds end in a machine

        self.build.images.update_emulator()
        given, script = self.command.given, str(self.build.images.run_script)
        settings = [f"{n}={given[n]}" for n in runscript.SETTINGS if n in given]

        def become() -> None:
            ended_early = SCons.Script.GetBuildFailures() or self.workspace.host.stop.requested
            if not ended_early and Path(script).exists():
                self.guard.release()
                sys.stdout.flush()
                os.execv(script, (script, *settings))

        _LAST.append(become)

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

    def abandon(self) -> None:
        """End without a summary: nothing was built, because reading the SConstruct failed."""
        atexit.unregister(self._close)

    def _close(self) -> None:
        """Write the summary and print the last lines."""
        workspace = self.workspace
        signals.end_quietly(workspace.host.stop)
        workspace.console.close()
        if not self.works:
            from . import preview  # noqa: PLC0415

            if text := preview.told(self._run, self._removable):
                workspace.console.answer(text)
            return
        stopped = workspace.host.stop.requested
        if self.command.opens and not (workspace.summary.says_something or stopped):
            return
        seconds = time.monotonic() - self._started
        same = self.selection.unchanged
        unchanged = [u.name for u in self.selection.wanted if u.is_package and u.id in same]
        current = sorted({*self._in_state(up_to_date), *unchanged})
        idle = workspace.host.jobserver.idle(seconds) if workspace.summary.built else None
        summary = workspace.summary.as_json(tuple(current), seconds, interrupted=stopped, idle=idle)
        showing.remember(self.build, summary)
        self._tell_decisions()
        ended_early = bool(SCons.Script.GetBuildFailures()) or stopped
        if summary["built"] or summary["restored"]:
            from quard.project.shrinking import shrink_after  # noqa: PLC0415

            shrink_after(workspace.host, workspace.settings, workspace.console)
        if self.makes_images:
            whole = all(map(self._is_right, self._image_nodes())) and not self._is_left_stale()
            if problem := self.build.images.coherence.end(whole=whole):
                workspace.console.warn(problem)
        for line in workspace.host.finish():
            workspace.console.note(line)
        workspace.console.note(workspace.summary.line(seconds, whole=not ended_early, idle=idle))

    def _tell_decisions(self) -> None:
        """Print which features are off because a source is not available."""
        workspace = self.workspace
        for decision in self.decisions:
            if not decision.on:
                workspace.console.note(
                    f"note: {decision.package} is without {decision.feature}"
                    f" ({', '.join(decision.missing)} is not available:"
                    f" out/{workspace.board.name}/availability.json says what was tried)"
                )

    def _is_done(self, unit: Unit) -> bool:
        """Return whether this run has found a unit up to date, or has made it."""
        if unit.id in self.selection.unchanged:
            return True
        nodes = self.nodes.get(unit.id)
        return bool(nodes) and all(
            node.get_state() in (up_to_date, executed) for node in nodes or ()
        )

    def _is_left_stale(self) -> bool:
        """Return whether a result that was made again has left an image as it was."""
        ledger, images = self.build.ledger, self.build.images.units
        return self.recovery.was_needed and not all(map(ledger.is_current, images.values()))

    def _is_right(self, node: Node) -> bool:
        """Return whether a file is up to date after this run."""
        done = node.get_state() in (up_to_date, executed)
        return done and not self.guard.has_failed(node)

    def _image_nodes(self) -> Iterator[Node]:
        """Yield the nodes of the images' folder that SCons has examined."""
        for unit in self.build.images.units:
            yield from self.nodes.get(unit, ())

    def _in_state(self, state: int) -> tuple[str, ...]:
        """Return the packages whose nodes are in one of SCons' states.

        With -i SCons treats failed targets as made.
        """
        return tuple(
            unit.name
            for unit in self.selection.wanted
            if unit.is_package
            and (nodes := self.nodes.get(unit.id))
            and nodes[0].get_state() == state
            and not self.guard.has_failed(nodes[0])
        )
