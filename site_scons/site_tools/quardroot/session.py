"""One run of SCons: from the command line to the nodes and what their actions do."""

from __future__ import annotations

import atexit
import functools
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SCons.Script
from SCons.Environment import Base
from SCons.Node import Node, executed, up_to_date
from SCons.Node.FS import File

from quard.base import canonical
from quard.base.files import UMASK
from quard.boards import board, settings
from quard.face import cli, report
from quard.face.cli import Command
from quard.face.console import Console
from quard.ledger.results import LostResult
from quard.machine import runscript
from quard.plan.resolve import Resolved
from quard.project import places
from quard.project.images import Images
from quard.project.workshop import Site, Workshop
from quard.recipes.catalog import Catalog
from quard.sources import availability
from quard.sources.availability import Decision

from . import opened, showing, signals, streams
from .action import Function
from .faults import as_quard_error
from .guard import Guard
from .selection import Selection, sign_what_was_made

if TYPE_CHECKING:
    from .preview import Run

_CHECKS = "import sys, pytest; sys.exit(2 if pytest.main(sys.argv[1:]) else 0)"
"""A failed check is a failed build: status 2, where pytest's own would be 1."""
_LAST: list[Callable[[], None]] = []
"""Run after everything else that waits for the end: the process may become another program."""


def _last() -> None:
    for function in _LAST:
        function()


# Registered before all others, and so run after them.
atexit.register(_last)


class Session:
    """Everything one run knows; made by `env.Board()`."""

    def __init__(self, command: Command, workshop: Workshop, guard: Guard) -> None:
        self.command = command
        self.workshop = workshop
        self.guard = guard
        self.decisions = self._decide() if self.works else ()
        decided = {decision.key: decision.on for decision in self.decisions}
        self.resolved: Resolved = workshop.resolve(workshop.recorded() | decided, command.names)
        workshop.remember()
        self.images = Images(workshop, self.resolved)
        self.selection = self._select()
        self.nodes: dict[str, list[Node]] = {}
        self.image_nodes: list[Node] = []
        self._again = threading.RLock()
        self._removable = self._find_removable()
        if self.works and self.changed and self.command.verb != "source":
            showing.expect(self._run, self.changed)
        self._started = time.monotonic()
        if guard.cut_off:
            workshop.sweep()
        signals.heed(workshop.stop, workshop.console)
        atexit.register(self._close)

    @property
    def works(self) -> bool:
        """Whether this run makes anything: not for -c, -n and -q."""
        return not any(SCons.Script.GetOption(n) for n in ("clean", "no_exec", "question"))

    @property
    def wanted(self) -> tuple[str, ...]:
        """The packages this run makes, in building order."""
        if self.command.opens:
            return self.resolved.graph.closure(opened.needs(self.command, self.resolved))
        if self.command.names:
            return self.resolved.graph.closure(self.command.names)
        return self.resolved.image

    def begin_images(self) -> None:
        """Take stock before images are made: nothing stale stays."""
        if self.works:
            self.images.remove_others()

    def _find_removable(self) -> tuple[Path, ...]:
        """Return the files that -c removes; none in a run without it."""
        if not SCons.Script.GetOption("clean"):
            return ()
        from . import preview  # noqa: PLC0415

        return preview.removable(self._run)

    @property
    def _run(self) -> Run:
        """What the command is about, for whoever tells of it."""
        from .preview import Run  # noqa: PLC0415 - a build that makes something tells of itself

        named = self.command.names or self.command.opens or self.command.verb == "source"
        images = None if named else self.images
        return Run(self.command, self.workshop, self.resolved, self.guard, self.wanted, images)

    def _select(self) -> Selection:
        """Find out which packages SCons is to look at."""
        names = () if self.command.verb == "source" else self.wanted
        all_of_them = bool(SCons.Script.GetOption("clean"))
        found = Selection(self.workshop, self.resolved, names, self.guard, all_of_them=all_of_them)
        if self.works:
            if found.changed or self.command.opens:
                self.workshop.require_places(found.changed)
            elif self.command.verb == "source":
                self.workshop.require_sources(self.wanted)
            self.workshop.outputs.forget(found.outdated)
        return found

    @property
    def changed(self) -> tuple[str, ...]:
        """The packages that SCons is to look at, in building order."""
        return self.selection.changed

    def run_at_end(self) -> None:
        """Start the machine once everything is written and the tree is free again."""
        if not self.works:
            return
        command = self.command
        settings = [f"{n}={command.given[n]}" for n in runscript.SETTINGS if n in command.given]
        script = str(self.images.run_script)

        def become() -> None:
            ended_early = SCons.Script.GetBuildFailures() or self.workshop.stop.requested
            if not ended_early and Path(script).exists():
                self.guard.release()
                sys.stdout.flush()
                os.execv(script, (script, *settings))

        _LAST.append(become)

    def act(self, name: str, work: Callable[[], None], *, counts: bool = True) -> Function:
        """Return the function of an action: `work`, with errors shown as one block.

        counts -- it makes something: a failure is one of the build's
        """

        def function(target: list[Node], source: list[Node], env: Base) -> str | None:
            del source, env
            files = [node for node in target if isinstance(node, File)]
            try:
                self.guard.started(files)
                self._mending(work)
            except Exception as fault:
                if self.workshop.stop.requested:
                    if counts:
                        self.workshop.summary.add_unfinished(name)
                    return f"{name}: interrupted"
                error = as_quard_error(fault, self.workshop.out / "logs" / f"{name}.traceback")
                self.guard.failed(files)
                if counts:
                    self.workshop.summary.add_failed(name)
                self.workshop.console.error(error)
                return f"{name}: {error.message}"
            return None

        return function

    def _mending(self, work: Callable[[], None]) -> None:
        """Do a target's work; packages whose results are found damaged are made again first."""
        for _ in self.resolved.plans:
            try:
                work()
                return
            except LostResult as lost:
                with self._again:
                    self.workshop.console.warn(
                        f"{lost.message} ({lost.detail}): the package is made again"
                    )
                    again = functools.partial(self.workshop.produce, self.resolved, lost.package)
                    self._mending(again)
        work()

    def _decide(self) -> tuple[Decision, ...]:
        workshop, command = self.workshop, self.command
        decisions = workshop.decide(command.names, again=command.verb == "source")
        for decision in decisions:
            if not decision.on:
                if command.strict:
                    workshop.forget_decisions()
                    raise availability.strict(decision, workshop.sources)
                if decision.key in workshop.fresh:
                    workshop.console.note(availability.block(decision, workshop.sources))
        return decisions

    def abandon(self) -> None:
        """End without a summary: nothing was built, as the SConstruct could not be read through."""
        atexit.unregister(self._close)

    def _close(self) -> None:
        """Write the summary and print the last lines."""
        workshop = self.workshop
        workshop.console.close()
        if not self.works:
            from . import preview  # noqa: PLC0415

            if text := preview.told(self._run, self._removable):
                workshop.console.answer(text)
            return
        if self.command.opens and not (workshop.summary.says_something or workshop.stop.requested):
            return
        seconds = time.monotonic() - self._started
        current = sorted({*self._in_state(up_to_date), *self.selection.unchanged})
        interrupted = workshop.stop.requested
        summary = workshop.summary.as_json(tuple(current), seconds, interrupted=interrupted)
        showing.remember(workshop, summary)
        self.selection.keep((*current, *self._in_state(executed)))
        for decision in self.decisions:
            if not decision.on:
                workshop.console.note(
                    f"note: {decision.package} is without {decision.feature}"
                    f" ({', '.join(decision.missing)} cannot be had:"
                    f" out/{workshop.board.name}/availability.json says what was tried)"
                )
        ended_early = bool(SCons.Script.GetBuildFailures()) or workshop.stop.requested
        if self.image_nodes:
            whole = all(map(self._is_right, self.image_nodes))
            if problem := self.images.coherence.end(whole=whole):
                workshop.console.warn(problem)
        workshop.console.note(workshop.summary.line(seconds, whole=not ended_early))

    def _is_right(self, node: Node) -> bool:
        """Tell whether a file is what it should be after this run."""
        done = node.get_state() in (up_to_date, executed)
        return done and not self.guard.has_failed(node)

    def _in_state(self, state: int) -> tuple[str, ...]:
        """Return the packages whose nodes are in one of SCons' states, sorted.

        With -i SCons takes what failed for made.
        """
        return tuple(
            sorted(
                name
                for name, nodes in self.nodes.items()
                if nodes[0].get_state() == state and not self.guard.has_failed(nodes[0])
            )
        )


def start(arguments: dict[str, str], targets: Iterable[str], *, silent: bool) -> Session:
    """Return the session that the command line asks for.

    Questions are answered here, and the process ends. Raises QuardError.

    silent -- -s was given: nothing is told that was not asked for
    """
    os.umask(UMASK)
    streams.harden()
    signals.wake()
    project = Path(SCons.Script.Dir("#").get_abspath())
    catalog = Catalog(project / "packages", project / "out" / "recipes")
    boards = board.names(project / "configs")
    command = cli.parse(tuple(targets), arguments, catalog.names(), boards)
    if command.verb in ("test", "bench"):
        if SCons.Script.GetOption("no_exec"):
            Console(sys.stdout).answer(f"the project's {command.verb} would be run\n")
            sys.exit(0)
        _become(project, command)
    console = showing.console(command, silent=silent)
    chosen = board.load(project / "configs", command.board)
    home = places.home(os.environ)
    local = settings.load(project, command.settings, home)
    site = Site(
        cache=local.cache or places.cache(project, os.environ, home),
        home=home,
        search=_search_path(),
        jobs=SCons.Script.GetOption("num_jobs"),
        force=frozenset(command.names if command.verb == "rebuild" else ()),
        terminal=opened.terminal(command),
    )
    guard = Guard(project / "out")
    if command.builds:
        places.require_out(project / "out", chosen.name)
        guard.enter(console.note)
        sign_what_was_made(guard, console.warn)
        site = Site(**{**vars(site), "keep": (guard.lock,)})
    workshop = Workshop(project, chosen, catalog, local, site, console)
    if command.verb in cli.QUESTIONS:
        extra = command.names if command.verb == "why" else ()
        resolved = workshop.resolve(workshop.recorded(), extra)
        if command.verb == "why":
            from . import preview  # noqa: PLC0415

            console.answer(preview.why(command, workshop, resolved, guard))
        else:
            console.answer(report.answer(command, resolved, catalog))
        streams.require_arrival()
        sys.exit(0)
    return Session(command, workshop, guard)


def _become(project: Path, command: Command) -> None:
    """Turn into the program that runs the project's checks, or its benchmark."""
    os.chdir(project)
    if command.verb == "test":
        words = ["-c", _CHECKS, *shlex.split(command.given.get("PYTEST_ARGS", ""))]
    else:
        words = ["-m", "bench", "--board", command.board]
        words += shlex.split(command.given.get("BENCH_ARGS", ""))
        places = (str(project / name) for name in ("tests", "site_scons"))
        os.environ["PYTHONPATH"] = os.pathsep.join(places)
    sys.stdout.flush()
    os.execv(sys.executable, (sys.executable, *words))


def _search_path() -> str:
    """Return the PATH for the machine's own commands, which this process uses from now on.

    An ordinary user's PATH has no sbin on Debian, where mke2fs and debugfs are.
    """
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    os.environ["PATH"] = path
    return path


def digest(*parts: Any) -> str:
    """Return one hash over several plain values."""
    return canonical.digest(list(parts))
