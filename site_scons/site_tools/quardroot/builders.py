"""The builders: each turns a name into small nodes with an explicit key."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import SCons.Node.Python
import SCons.Script

from quard import cli
from quard.errors import QuardError

from . import session
from .action import KeyedAction


def generate(env: Any) -> None:
    """Add the builders, and the rules by which SCons compares."""
    env.Decider("content")
    SCons.Script.SetOption("max_drift", -1)
    SCons.Script.SetOption("silent", True)
    if SCons.Script.GetOption("num_jobs") == 1 and not _asked_for_jobs():
        SCons.Script.SetOption("num_jobs", len(os.sched_getaffinity(0)))
    for method in (Board, Package, Source, Rootfs, Image, Deploy, RunScript, Run):
        env.AddMethod(_clear(method), method.__name__)


def _clear(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method with a user's mistake shown as one block instead of a traceback."""

    @functools.wraps(method)
    def guarded(env: Any, *arguments: Any) -> Any:
        try:
            return method(env, *arguments)
        except (QuardError, OSError) as error:
            if "QUARDROOT" in env:
                env["QUARDROOT"].abandon()
            print(session.as_quard_error(error).block(), file=sys.stderr)  # noqa: T201
            return SCons.Script.Exit(2)

    return guarded


def Board(env: Any) -> session.Session:  # noqa: N802 - SCons' style for what an SConstruct calls
    """Read the command line and the board; end here if that was all, or if it cannot be used."""
    if SCons.Script.GetOption("help"):
        print(cli.help_text(), end="")  # noqa: T201
        SCons.Script.Exit(0)
    begun = session.start(dict(SCons.Script.ARGUMENTS), SCons.Script.COMMAND_LINE_TARGETS)
    env["QUARDROOT"] = begun
    env.SConsignFile(str(begun.guard.sconsign.with_suffix("")))
    return begun


def Package(env: Any, name: str) -> list[Any]:  # noqa: N802
    """One package: its results, which depend on its plan and its dependencies' interfaces."""
    begun: session.Session = env["QUARDROOT"]
    workshop, plan = begun.workshop, begun.resolved.plans[name]
    sources: list[Any] = [env.File(str(workshop.results(n).interface)) for n in begun.sees(name)]
    sealed = "unsealed" if workshop.settings.sandbox == "none" else "sealed"
    key = (plan.identity, workshop.toolchain.fingerprint, sealed)
    nodes = _nodes(
        env,
        workshop.results(name).targets(plan.deploys),
        sources,
        key,
        begun.act(name, lambda: workshop.produce(begun.resolved, name)),
    )
    begun.nodes[name] = nodes
    if name in workshop.site.force:
        env.AlwaysBuild(nodes)
        env.Alias(f"{name}-rebuild", nodes)
    env.Alias(name, nodes)
    return nodes


def Source(env: Any, name: str) -> list[Any]:  # noqa: N802
    """One package's archive, fetched and verified; part of the alias `source`."""
    begun: session.Session = env["QUARDROOT"]
    action = KeyedAction(begun.act(name, lambda: begun.workshop.fetch(name)))
    found: list[Any] = env.Alias(f"source-{name}", [], action)
    env.AlwaysBuild(found)
    env.Alias("source", found)
    return found


def Rootfs(env: Any) -> list[Any]:  # noqa: N802
    """The root file system: every package's installed files, the overlay and the tables."""
    begun: session.Session = env["QUARDROOT"]
    order = begun.resolved.graph.urgent_first(begun.resolved.image)
    results = [begun.workshop.results(name).runtime for name in order]
    return _nodes(
        env,
        begun.images.rootfs_files(),
        [env.File(str(path)) for path in results],
        ("rootfs", begun.images.rootfs_key),
        begun.act("rootfs", begun.images.rootfs),
    )


def Image(env: Any, kind: str, root: Sequence[Any]) -> list[Any]:  # noqa: N802
    """One file system made of the root file system `root`."""
    begun: session.Session = env["QUARDROOT"]
    images = begun.images
    return _nodes(
        env,
        (images.file(kind),),
        [root[0]],
        (kind, images.image_key(kind)),
        begun.act(images.file(kind).name, lambda: images.image(kind)),
    )


def Deploy(env: Any, name: str) -> list[Any]:  # noqa: N802
    """What a package puts beside the images: the kernel, the firmware."""
    begun: session.Session = env["QUARDROOT"]
    images = begun.images
    result = begun.workshop.results(name).deploy
    return _nodes(
        env,
        images.deployed(name),
        [env.File(str(result))],
        ("deploy", name),
        begun.act(f"{name}'s image files", lambda: images.deploy(name)),
    )


def RunScript(env: Any) -> list[Any]:  # noqa: N802
    """images/run.sh, which starts the board's machine."""
    begun: session.Session = env["QUARDROOT"]
    images = begun.images
    return _nodes(
        env,
        (images.run_script,),
        [],
        ("run.sh", session.digest(images.run_text)),
        begun.act("run.sh", images.run),
    )


def Run(env: Any) -> None:  # noqa: N802
    """After the build: become what the command line asked for (QEMU)."""
    begun: session.Session = env["QUARDROOT"]
    begun.run_at_end()


def _nodes(
    env: Any,
    targets: Sequence[Path],
    sources: Sequence[Any],
    key: tuple[str, ...],
    function: Callable[..., Any],
) -> list[Any]:
    """Return targets made by `function`, whose signature is `key`; shown by --debug=explain."""
    value = SCons.Node.Python.Value(":".join(key))
    nodes: list[Any] = env.Command(
        [env.File(str(path)) for path in targets],
        [value, *sources],
        KeyedAction(function),
        KEY="quardroot",
    )
    return nodes


def _asked_for_jobs() -> bool:
    """Tell whether -j was given, as `-j1` is a wish and 1 is also SCons' default."""
    words = [*os.environ.get("SCONSFLAGS", "").split(), *sys.argv[1:]]
    return any(word.startswith("-j") or word.startswith("--jobs") for word in words)
