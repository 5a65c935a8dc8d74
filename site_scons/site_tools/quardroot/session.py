"""One run of SCons: from what it has to do to the nodes and their actions."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import SCons.Script
from SCons.Node import Node, executed, up_to_date

from quard.plan.unit import Unit
from quard.project.recovery import Recovery

from . import ahead, showing, signals
from .acting import Actions
from .inline import make_inline
from .prepared import Prepared
from .signatures import sign_what_was_made

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
    """The state of one run of SCons; made by `env.Board()`."""

    def __init__(self, run: Prepared) -> None:
        self.prepared = run
        self.command = run.command
        self.workspace = run.workspace
        self.guard = run.guard
        self.build = run.build
        self.selection = run.selection
        self.nodes: dict[str, list[Node]] = {}
        self.recovery = Recovery(self.build, self._is_done)
        actions = Actions(self.workspace, self.guard, self.recovery)
        self.act = actions.act
        if self.command.builds:
            sign_what_was_made(self.guard, self.workspace.console.warn)
        self._removable = self._find_removable()
        if run.options.works and self.changed and self.command.verb != "source":
            showing.expect(self._run, self.changed)
            self._prepare_order()
            make_inline(actions.restored)
        signals.heed(self.workspace.host.stop, self.workspace.console)
        atexit.register(self._close)

    @property
    def wanted(self) -> tuple[Unit, ...]:
        """The packages that this run makes or fetches, in build order."""
        return self.prepared.wanted

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
        if not self.prepared.options.clean:
            return ()
        from . import preview  # noqa: PLC0415

        return preview.removable(self._run)

    @property
    def _run(self) -> Run:
        """The run, for reports on it."""
        from .preview import Run  # noqa: PLC0415 - a build that makes something does without

        run = self.prepared
        return Run(self.command, run.options, self.build, self.guard, run.units)

    def _prepare_order(self) -> None:
        """Have the units of the longest chain of remaining work begin first."""
        from quard.project.urgency import urgency  # noqa: PLC0415 - a null build begins nothing

        self.build.urgency = urgency(self.build, self.changed)
        self.workspace.host.slots.is_fatal = ahead.is_fatal
        ahead.start_more(self.workspace.host.jobs_elsewhere)
        if not self.command.opens:  # Ctrl-C is then for the command that has the terminal
            signals.relay()

    def run_at_end(self) -> None:
        """Start the machine once everything is written and the tree's lock is released."""
        if not self.prepared.options.works:
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

    def abandon(self) -> None:
        """End without a summary: nothing was built, because reading the SConstruct failed."""
        atexit.unregister(self._close)

    def _close(self) -> None:
        """Write the summary and print the last lines."""
        workspace = self.workspace
        signals.end_quietly(workspace.host.stop)
        workspace.console.close()
        if not self.prepared.options.works:
            from . import preview  # noqa: PLC0415

            if text := preview.told(self._run, self._removable):
                workspace.console.answer(text)
            return
        stopped = workspace.host.stop.requested
        if self.command.opens and not (workspace.summary.says_something or stopped):
            return
        ended_early = bool(SCons.Script.GetBuildFailures()) or stopped
        self.prepared.conclude(self._in_state(up_to_date), self._is_whole, ended_early=ended_early)

    def _is_whole(self) -> bool:
        """Return whether every image is up to date after this run."""
        return all(map(self._is_right, self._image_nodes())) and not self._is_left_stale()

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
