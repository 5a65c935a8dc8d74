"""The builders: each turns a name into small nodes with an explicit key."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from optparse import OptionParser
from pathlib import Path
from typing import Any

import SCons.Errors
import SCons.Node.Python
import SCons.Script
from SCons.Environment import Base
from SCons.Node import Node

from quard.base.errors import QuardError
from quard.base.names import meant
from quard.face import cli
from quard.project.images import ROOTFS

from . import opened, session, showing
from .action import Function, KeyedAction
from .faults import as_quard_error
from .late import Late

_SCONS_OWN = (SCons.Errors.BuildError, SCons.Errors.StopError, SCons.Errors.UserError)


def generate(env: Base) -> None:
    """Add the builders, and the rules by which SCons compares."""
    env.Decider("content")
    SCons.Script.SetOption("max_drift", -1)
    env["QUARDROOT_SILENT"] = bool(SCons.Script.GetOption("silent"))
    SCons.Script.SetOption("silent", True)
    # KiB of an image that SCons holds in memory while it signs it; its default is 64 MiB, twice.
    SCons.Script.SetOption("md5_chunksize", 1024)
    if SCons.Script.GetOption("num_jobs") == 1 and not _asked_for_jobs():
        SCons.Script.SetOption("num_jobs", len(os.sched_getaffinity(0)))
    images = (Rootfs, Image, DataDisk, Deploy, RunScript)
    for method in (Board, Package, Source, Open, *images, Symbols, Run):
        env.AddMethod(_clear(method), method.__name__)


def _clear(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method with a user's mistake shown as one block instead of a traceback."""

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
            trace = begun.workshop.out / "logs" / f"{method.__name__}.traceback" if begun else None
            block = as_quard_error(error, trace).block()
            print(block, file=sys.stderr, flush=True)  # noqa: T201
            return SCons.Script.Exit(2)

    return guarded


def Board(env: Base) -> session.Session:  # noqa: N802 - SCons' style for what an SConstruct calls
    """Read the command line and the board; end here if that was all, or if it cannot be used."""
    if SCons.Script.GetOption("help"):
        print(cli.help_text(), end="")  # noqa: T201
        SCons.Script.Exit(0)
    _refuse_options(SCons.Script.Main.OptionsParser)
    begun = session.start(
        dict(SCons.Script.ARGUMENTS),
        SCons.Script.COMMAND_LINE_TARGETS,
        silent=env["QUARDROOT_SILENT"],
    )
    env["QUARDROOT"] = begun
    env.SConsignFile(str(begun.guard.sconsign.with_suffix("")))
    return begun


def _refuse_options(parser: OptionParser) -> None:
    """Refuse what SCons would only after everything is read. Raises QuardError."""
    options = [word.partition("=")[0] for word in parser.largs or () if word.startswith("-")]
    for option in options:
        if not parser.has_option(option):
            raise QuardError(
                f"unknown option {option!r}",
                reason="unknown-option",
                hint=meant(option, parser._long_opt, "./scons -H lists SCons' own"),
            )
    if SCons.Script.GetOption("num_jobs") < 1:
        raise QuardError(
            f"-j{SCons.Script.GetOption('num_jobs')} leaves nothing to build with",
            reason="bad-jobs",
            hint="give 1 or more, or leave it out for as many as there are processors",
        )


def Package(env: Base, name: str) -> list[Node]:  # noqa: N802
    """One package: its results, which depend on its plan and its dependencies' interfaces.

    Of a package that cannot change in this run SCons is told no more than where its results are.
    """
    begun: session.Session = env["QUARDROOT"]
    if name in begun.nodes:
        return begun.nodes[name]
    workshop, facts = begun.workshop, begun.selection.facts(name)
    targets = workshop.results(name).targets(facts.deploys)
    if name in begun.selection.unchanged:
        nodes: list[Node] = [env.File(str(path)) for path in targets]
    else:
        sources = [env.File(str(workshop.results(need).interface)) for need in facts.sees]
        function = begun.act(name, lambda: begun.selection.make(name))
        nodes = _nodes(env, targets, sources, facts.key, function)
        begun.nodes[name] = nodes
    if name in workshop.site.force | begun.selection.outdated:
        env.AlwaysBuild(nodes)
    if name in workshop.site.force:
        env.Alias(f"{name}-rebuild", nodes)
    elif name in begun.command.names:
        env.Alias(name, nodes)
    return nodes


def Source(env: Base, name: str) -> list[Node]:  # noqa: N802
    """One package's archive, fetched and verified; part of the alias `source`."""
    begun: session.Session = env["QUARDROOT"]
    action = KeyedAction(begun.act(name, lambda: begun.workshop.fetch(name)))
    found = env.Alias(f"source-{name}", [], action)
    env.AlwaysBuild(found)
    env.Alias("source", found)
    return found


def Open(env: Base) -> list[Node]:  # noqa: N802
    """The folder of one package that the command line asks for, once what that needs is there."""
    begun: session.Session = env["QUARDROOT"]
    command, workshop = begun.command, begun.workshop
    opened.check(command, begun.resolved)
    name = command.names[0]
    # In the main thread alone can Ctrl-C be left to the command that has the terminal.
    SCons.Script.SetOption("num_jobs", 1)
    found = env.Alias(
        f"{name}-{command.verb}",
        [
            env.File(str(workshop.results(need).interface))
            for need in opened.needs(command, begun.resolved)
        ],
        KeyedAction(
            begun.act(name, lambda: opened.work(command, workshop, begun.resolved), counts=False)
        ),
    )
    env.AlwaysBuild(found)
    return found


def Rootfs(env: Base) -> list[Node]:  # noqa: N802
    """The root file system: every package's installed files, the overlay and the tables."""
    begun: session.Session = env["QUARDROOT"]
    if begun.works:
        begun.images.vet()
    results = Late("what the packages install", begun.selection.runtime)
    changed = begun.resolved.graph.urgent_first(begun.changed)
    env.Depends(results, [env.File(str(begun.workshop.results(n).runtime)) for n in changed])
    return _image_nodes(
        env,
        begun.images.rootfs_files(),
        [results],
        f"rootfs:{begun.images.rootfs_key}",
        begun.act("rootfs", showing.image(begun.workshop, ROOTFS, begun.images.rootfs)),
    )


def Image(env: Base, kind: str, root: Sequence[Node]) -> list[Node]:  # noqa: N802
    """One file system made of the root file system `root`."""
    begun: session.Session = env["QUARDROOT"]
    images, name = begun.images, begun.images.file(kind).name
    return _image_nodes(
        env,
        (images.file(kind),),
        [root[0]],
        f"{kind}:{images.image_key(kind)}",
        begun.act(name, showing.image(begun.workshop, name, lambda: images.image(kind))),
    )


def DataDisk(env: Base) -> list[Node]:  # noqa: N802
    """The empty disk that run.sh copies for a guest's data; nothing if the board has none."""
    begun: session.Session = env["QUARDROOT"]
    images = begun.images
    if images.data_disk is None:
        return []
    work = begun.act(images.data_disk.name, images.make_data_disk)
    return _nodes(env, (images.data_disk,), [], f"data:{images.data_key}", work)


def Deploy(env: Base, name: str) -> list[Node]:  # noqa: N802
    """What a package puts beside the images: the kernel, the firmware."""
    begun: session.Session = env["QUARDROOT"]
    images = begun.images
    result = begun.workshop.results(name).deploy
    return _image_nodes(
        env,
        images.deployed(name),
        [env.File(str(result))],
        f"deploy:{name}",
        begun.act(f"{name}'s image files", lambda: images.deploy(name)),
    )


def RunScript(env: Base) -> list[Node]:  # noqa: N802
    """images/run.sh, which starts the board's machine."""
    begun: session.Session = env["QUARDROOT"]
    images = begun.images
    return _image_nodes(
        env,
        (images.run_script,),
        [],
        f"run.sh:{session.digest(images.run_text)}",
        begun.act("run.sh", images.run),
    )


def Symbols(env: Base, images: Sequence[Node]) -> list[Node]:  # noqa: N802
    """out/BOARD/debug, for gdb, once `images` are there."""
    from quard.project.symbols import Symbols as Folder  # noqa: PLC0415 - only who debugs needs it

    begun: session.Session = env["QUARDROOT"]
    folder = Folder(begun.workshop, begun.resolved)
    action = KeyedAction(begun.act("symbols", folder.make, counts=False))
    found = env.Alias("symbols", images, action)
    env.AlwaysBuild(found)
    return found


def Run(env: Base) -> None:  # noqa: N802
    """After the build: become what the command line asked for (QEMU)."""
    begun: session.Session = env["QUARDROOT"]
    begun.run_at_end()


def _image_nodes(
    env: Base,
    targets: Sequence[Path],
    sources: Sequence[Node],
    key: str,
    function: Function,
) -> list[Node]:
    """Return nodes of the images folder, which are all right or not of one build."""
    nodes = _nodes(env, targets, sources, key, function)
    env["QUARDROOT"].image_nodes += nodes
    return nodes


def _nodes(
    env: Base,
    targets: Sequence[Path],
    sources: Sequence[Node],
    key: str,
    function: Function,
) -> list[Node]:
    """Return targets made by `function`, whose signature is `key`; shown by --debug=explain."""
    value = SCons.Node.Python.Value(key)
    return env.Command(
        [env.File(str(path)) for path in targets],
        [value, *sources],
        KeyedAction(function),
        KEY="quardroot",
    )


def _asked_for_jobs() -> bool:
    """Tell whether -j was given, as `-j1` is a wish and 1 is also SCons' default."""
    words = [*os.environ.get("SCONSFLAGS", "").split(), *sys.argv[1:]]
    return any(word.startswith("-j") or word.startswith("--jobs") for word in words)
