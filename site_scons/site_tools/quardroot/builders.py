"""The builders: each unit becomes a few nodes with an explicit signature."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from optparse import OptionParser
from typing import Any

import SCons.Errors
import SCons.Script
from SCons.Environment import Base
from SCons.Node import Node

from quard.base.errors import QuardError
from quard.base.names import meant
from quard.face import cli
from quard.plan.unit import Unit

from . import early, opened
from .action import KeyedAction
from .ahead import set_jobs
from .faults import as_quard_error
from .flags import Options
from .jobs import refusal, values
from .late import Late
from .prepared import Prepared
from .session import Session
from .signed import sign
from .start import start

_SCONS_OWN = (SCons.Errors.BuildError, SCons.Errors.StopError, SCons.Errors.UserError)


def generate(env: Base) -> None:
    """Add the builders, and SCons' rules for comparing."""
    env.Decider("content")
    SCons.Script.SetOption("max_drift", -1)
    env["QUARDROOT_SILENT"] = bool(SCons.Script.GetOption("silent"))
    SCons.Script.SetOption("silent", True)
    # KiB of an image that SCons keeps in memory while it signs it; its default is twice 64 MiB.
    SCons.Script.SetOption("md5_chunksize", 1024)
    if SCons.Script.GetOption("num_jobs") == 1 and not _asked_for_jobs():
        SCons.Script.SetOption("num_jobs", len(os.sched_getaffinity(0)))
    for method in (Board, Make, Goals):
        env.AddMethod(_clear(method), method.__name__)


def _clear(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method with a user's errors shown as one block instead of a traceback."""

    @functools.wraps(method)
    def guarded(env: Base, *arguments: Any) -> Any:
        try:
            return method(env, *arguments)
        except _SCONS_OWN:
            raise
        except Exception as error:
            begun = env.get("QUARDROOT")
            if begun:
                begun.abandon()
            trace = begun.workspace.out / "logs" / f"{method.__name__}.traceback" if begun else None
            block = as_quard_error(error, trace).block()
            print(block, file=sys.stderr, flush=True)  # noqa: T201
            return SCons.Script.Exit(2)

    return guarded


def Board(env: Base) -> Session:  # noqa: N802 - SCons' style for what an SConstruct calls
    """Read the command line and the board; end here if that was all, or if it cannot be used."""
    if SCons.Script.GetOption("help"):
        print(cli.help_text(), end="")  # noqa: T201
        SCons.Script.Exit(0)
    _refuse_options(SCons.Script.Main.OptionsParser)
    begun = Session(early.taken() or _prepared(silent=env["QUARDROOT_SILENT"]))
    env["QUARDROOT"] = begun
    env.SConsignFile(str(begun.guard.sconsign.with_suffix("")))
    return begun


def _prepared(*, silent: bool) -> Prepared:
    """Return the run of SCons' command line. Raises QuardError."""
    names = ("clean", "no_exec", "question")
    given = {name: bool(SCons.Script.GetOption(name)) for name in names}
    options = Options(SCons.Script.GetOption("num_jobs"), silent=silent, **given)
    arguments = dict(SCons.Script.ARGUMENTS)
    return Prepared(*start(arguments, SCons.Script.COMMAND_LINE_TARGETS, options), options)


def _refuse_options(parser: OptionParser) -> None:
    """Refuse options that SCons would refuse only after reading everything. Raises QuardError."""
    options = [word.partition("=")[0] for word in parser.largs or () if word.startswith("-")]
    for option in options:
        if not parser.has_option(option):
            raise QuardError(
                f"unknown option {option!r}",
                reason="unknown-option",
                hint=meant(option, parser._long_opt, "./scons -H lists SCons' own"),
            )
    if SCons.Script.GetOption("num_jobs") < 1:
        raise refusal(SCons.Script.GetOption("num_jobs"))


def Make(env: Base, unit: Unit) -> list[Node]:  # noqa: N802
    """One unit: its result and its files, which depend on its plan and on parts of other units.

    For a unit that cannot change in this run, SCons only learns the paths of its files.
    """
    begun: Session = env["QUARDROOT"]
    if unit.id in begun.nodes:
        return begun.nodes[unit.id]
    ledger = begun.build.ledger
    files = [env.File(str(path)) for path in ledger.targets(unit)]
    if not unit.is_package:
        for file in files[1:]:
            sign(file, lambda: found.key if (found := ledger.result(unit)) else "")
    nodes: list[Node] = [*files]
    if unit.id not in begun.selection.unchanged:
        signature = Late(unit.id, lambda: ledger.signature(unit))
        before = [Make(env, each)[0] for each in begun.changed_inputs(unit)]
        env.Depends(signature, before)
        action = KeyedAction(begun.act(unit.name, lambda: begun.recovery.make(unit)))
        nodes = env.Command(nodes, [signature], action, KEY="quardroot")
        begun.nodes[unit.id] = nodes
        if unit.is_package:
            files[0].attributes.quardroot_unit = unit
        if unit.id in begun.selection.outdated:
            env.AlwaysBuild(nodes)
        if SCons.Script.GetOption("clean"):
            env.Clean(nodes, [str(path) for path in begun.build.images.kept(unit)])
    return nodes


def Goals(env: Base) -> list[Node]:  # noqa: N802
    """The command line's targets: sources, a folder to work in, packages, or the images."""
    begun: Session = env["QUARDROOT"]
    command = begun.command
    if command.verb == "source":
        names = dict.fromkeys(map(begun.workspace.source_name, begun.wanted))
        return [node for name in names for node in Source(env, name)]
    if command.opens:
        return Open(env)
    if command.names:
        return [node for name in command.names for node in _named(env, begun, name)]
    # The result files represent the images, which SCons would read otherwise.
    images = [Make(env, unit)[0] for unit in begun.build.images.units.values()]
    env.Alias("run", images)
    if command.debugs:
        env.Alias("run", Symbols(env, images))
    if command.verb == "run":
        begun.run_at_end()
    # Not the files themselves: SCons would report for each that there is nothing to do.
    found = env.Alias("images", images)
    return found


def _named(env: Base, begun: Session, name: str) -> list[Node]:
    """Return a package by its name on the command line."""
    alias = f"{name}-rebuild" if name in begun.workspace.host.site.force else name
    found = env.Alias(alias, Make(env, begun.build.package(name)))
    return found


def Source(env: Base, name: str) -> list[Node]:  # noqa: N802
    """One package's archive, fetched and verified; part of the alias `source`."""
    begun: Session = env["QUARDROOT"]
    action = KeyedAction(begun.act(name, lambda: begun.workspace.fetch(name)))
    found = env.Alias(f"source-{name}", [], action)
    env.AlwaysBuild(found)
    env.Alias("source", found)
    return found


def Open(env: Base) -> list[Node]:  # noqa: N802
    """The folder of the requested package, once everything that it needs is made."""
    begun: Session = env["QUARDROOT"]
    command = begun.command
    opened.check(command, begun.build)
    name = command.names[0]
    # Only in the main thread can Ctrl-C be left to the command that has the terminal.
    set_jobs(1)
    found = env.Alias(
        f"{name}-{command.verb}",
        [
            env.File(str(begun.build.ledger.results(need).result))
            for need in opened.needs(command, begun.build)
        ],
        KeyedAction(begun.act(name, lambda: opened.work(command, begun.build), counts=False)),
    )
    env.AlwaysBuild(found)
    return found


def Symbols(env: Base, images: Sequence[Node]) -> list[Node]:  # noqa: N802
    """out/BOARD/debug, for gdb, once `images` are made."""
    from quard.project.symbols import Symbols as Folder  # noqa: PLC0415 - only who debugs needs it

    begun: Session = env["QUARDROOT"]
    folder = Folder(begun.build)
    action = KeyedAction(begun.act("symbols", folder.make, counts=False))
    found = env.Alias("symbols", images, action)
    env.AlwaysBuild(found)
    return found


def _asked_for_jobs() -> bool:
    """Return whether -j was given: SCons' default is also 1, but `-j1` is a request."""
    words = [*os.environ.get("SCONSFLAGS", "").split(), *sys.argv[1:]]
    return any(True for _ in values(words))
