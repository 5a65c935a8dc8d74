"""From the command line to a workspace, or to the answer to a question."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import NoReturn

from quard.base.files import UMASK
from quard.boards import board, native, settings
from quard.boards.settings import Settings
from quard.boards.trees import Trees
from quard.face import cli
from quard.face.cli import Command
from quard.face.console import Console
from quard.plan.unit import parted
from quard.project import places
from quard.project.build import BoardBuild
from quard.project.host import Host
from quard.project.site import Site
from quard.project.workspace import Workspace
from quard.recipes.catalog import Catalog

from . import equip, opened, showing, signals, streams
from .flags import Options
from .guard import Guard

OWN = Path(__file__).absolute().parents[3]
"""The checkout of this engine: the project itself, unless that is a product's folder."""
CHECKS = """\
import _signal
_signal.signal(_signal.SIGINT, _signal.SIG_DFL)
import sys, pytest
_signal.signal(_signal.SIGINT, _signal.default_int_handler)
try:
    status = pytest.main(sys.argv[1:])
except KeyboardInterrupt:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    _signal.raise_signal(_signal.SIGINT)
sys.exit(2 if status else 0)
"""
"""A failed check is a failed build: status 2; pytest's own status would be 1.

Ctrl-C ends the process without a traceback while pytest is loaded, and where it does not answer.
"""


def start(
    arguments: dict[str, str], targets: Iterable[str], options: Options
) -> tuple[Command, Workspace, Guard]:
    """Return what the command line asks for, the board's workspace, and the tree's guard.

    The tree is locked for a command that makes files. Questions are answered here, and the process
    ends. Raises QuardError.
    """
    os.umask(UMASK)
    streams.harden()
    signals.wake()
    project = Path.cwd()
    local = settings.load(project, arguments, places.home(os.environ))
    trees = _trees(project, local)
    catalog = _catalog(project, trees)
    given = {"BOARD": trees.board, **arguments} if trees.board else arguments
    command = cli.parse(tuple(targets), given, catalog.names(), board.names(trees))
    if command.verb in ("test", "bench"):
        _become(command, trees, options)
    console = showing.console(command, silent=options.silent)
    if command.verb in cli.OVERVIEWS or (command.verb == "info" and not command.names):
        _survey(command, trees, catalog, console)
    chosen = board.load(trees, command.board)
    catalog = catalog.of(chosen.target, trees)
    _require_roots(command, chosen)
    equip.have_packages(trees.own, command, local, console)
    site = _site(project, command, local, options.jobs)
    guard = Guard(project / "out", dry=options.dry)
    if command.builds:
        places.require_out(project / "out", chosen.name)
        guard.enter(console.note)
        site = Site(**{**vars(site), "keep": (guard.lock,)})
    host = Host(project, chosen, local, site, console, trees)
    workspace = Workspace(project, trees, chosen, catalog, local, host, _edits(project))
    _serve_machine(command, workspace, options)
    if command.verb not in ("patch", "list", "info", "depends", "rdepends"):
        workspace.require_edits()
    if command.verb in cli.QUESTIONS:
        _answer(command, workspace, catalog, guard)
    return command, workspace, guard


def _edits(project: Path) -> dict[str, Path]:
    """Return the checkouts of packages that are being edited."""
    if not os.path.isdir(project / "edit"):
        return {}
    from quard.project import edits  # noqa: PLC0415 - few projects have any

    return edits.folders(project)


def _require_roots(command: Command, chosen: board.Board) -> None:
    roots = (*(root.name for root in chosen.roots), native.NAME)
    cli.require_roots(command, roots, chosen.own.file)


def _catalog(project: Path, trees: Trees) -> Catalog:
    memory = project / "out" / "recipes"
    found = Catalog(trees.own / "packages", memory, trees.folders("packages"))
    found.sites = trees.sites
    return found


def _trees(project: Path, local: Settings) -> Trees:
    """Return the trees that the settings name, and the product's own. Raises QuardError."""
    folders = local.trees
    if project != OWN:
        folders = (*folders, project)
    found = Trees(OWN)
    if folders:
        from quard.boards import treefile  # noqa: PLC0415 - one tree alone needs no such checks

        found = treefile.load(OWN, folders, project)
    settings.require_sites(local, found)
    return found


def _serve_machine(command: Command, workspace: Workspace, options: Options) -> None:
    """Do what has nothing to do with the board's units, and end the process; else return."""
    if command.verb == "gc":
        _shrink(workspace, dry=options.no_exec)
    if command.verb == "tools-update":
        _update_tools(workspace, dry=options.no_exec)
    if command.verb == "compile-host":
        _compile_for_others(workspace, command, dry=options.no_exec)


def _site(project: Path, command: Command, local: Settings, jobs: int) -> Site:
    """Return what this machine and its user are like."""
    home = places.home(os.environ)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its library writes notes to standard error
    return Site(
        cache=local.cache or places.cache(project, os.environ, home),
        home=home,
        search=_search_path(),
        jobs=jobs,
        machine=os.uname().machine,
        token=os.environ.get("QUARDROOT_CACHE_TOKEN", ""),
        remote_token=os.environ.get("QUARDROOT_REMOTE_TOKEN", ""),
        agent=os.environ.get("SSH_AUTH_SOCK", ""),
        force=frozenset(command.names if command.verb == "rebuild" else ()),
        terminal=opened.terminal(command),
        described=opened.descriptions(command, home),
    )


def _shrink(workspace: Workspace, *, dry: bool) -> NoReturn:
    """Shrink the stores to their limit, remove unused tools, and end the process."""
    from quard.project.shrinking import recompiled, relent, shrunk, tidied  # noqa: PLC0415

    host = workspace.host
    cache, settings = host.site.cache, workspace.settings
    tools = tidied(cache / "tools", dry=dry)
    files = recompiled(cache, settings, dry=dry)
    segments = relent(cache, dry=dry)
    for line in chain(shrunk(host.stores.all, settings.limit, dry=dry), files, tools, segments):
        workspace.console.answer(f"{line}\n")
    streams.require_arrival()
    sys.exit(0)


def _update_tools(workspace: Workspace, *, dry: bool) -> NoReturn:
    """Write the lock files of the pinned tools, and end the process."""
    from quard.project.updating import updated  # noqa: PLC0415

    host = workspace.host
    progress = workspace.console.progress()
    for line in updated(workspace.trees, host.site.cache, workspace.settings, progress, dry=dry):
        workspace.console.answer(f"{line}\n")
    streams.require_arrival()
    sys.exit(0)


def _compile_for_others(workspace: Workspace, command: Command, *, dry: bool) -> NoReturn:
    """Replace this process with the program that compiles for other machines."""
    from quard.project import compile_host  # noqa: PLC0415

    words = compile_host.command(workspace.host, command.given)
    if dry:
        workspace.console.answer("would compile for other machines\n")
        sys.exit(0)
    os.execv(words[0], words)


def _survey(command: Command, trees: Trees, catalog: Catalog, console: Console) -> NoReturn:
    """Answer a question that takes no plans, and end the process."""
    from quard.face import overview  # noqa: PLC0415 - a build asks nothing

    text = overview.answer(command, trees, catalog)
    catalog.remember()
    console.answer(text)
    streams.require_arrival()
    sys.exit(0)


def _answer(command: Command, workspace: Workspace, catalog: Catalog, guard: Guard) -> NoReturn:
    """Answer a question, and end the process."""
    extra = tuple(name for name in command.names if command.verb == "why" or _native(name))
    roots = workspace.resolve(workspace.recorded(), extra)
    workspace.remember()
    if command.verb == "why":
        from . import preview  # noqa: PLC0415

        equip.require(workspace, guard)

        text = preview.why(command, BoardBuild(workspace, roots), guard)
    else:
        from quard.face import about  # noqa: PLC0415 - a build asks nothing

        text = about.answer(command, roots, catalog, workspace.out / "images")
    workspace.console.answer(text)
    streams.require_arrival()
    sys.exit(0)


def _native(name: str) -> bool:
    """Return whether a name is that of a package for the build machine, which a board may lack."""
    return parted(name)[0] == native.NAME


def _become(command: Command, trees: Trees, options: Options) -> NoReturn:
    """Replace this process with the program that runs the checks or Quardroot's benchmark.

    The checks are those of Quardroot, or of the product in whose folder the build starts.
    """
    if options.no_exec:
        Console(sys.stdout).answer(f"would run the project's {command.verb}\n")
        sys.exit(0)
    os.environ.pop("QUARDROOT_PRODUCT", None)
    given = shlex.split(command.given.get("PYTEST_ARGS", ""))
    if command.verb == "test" and trees.start:
        words = ["-P", "-c", CHECKS, *_of_product(trees), *given]
    elif command.verb == "test":
        os.chdir(OWN)
        words = ["-c", CHECKS, *given]
    else:
        os.chdir(OWN)
        words = ["-m", "bench", "--board", command.board]
        words += shlex.split(command.given.get("BENCH_ARGS", ""))
        places = (str(OWN / name) for name in ("tests", "tests/support", "site_scons"))
        os.environ["PYTHONPATH"] = os.pathsep.join(places)
    sys.stdout.flush()
    if command.verb == "test":
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # until CHECKS begins
    os.execv(sys.executable, (sys.executable, *words))


def _of_product(trees: Trees) -> Iterable[str]:
    """Return the words for pytest that choose the checks of a product: of its last tree's plans.

    It runs in the product's folder and leaves nothing in the checkout, which others may use.
    """
    yield from (f"--config-file={OWN}/pyproject.toml", "--no-header", "-pno:cacheprovider", "-n0")
    yield str(OWN / "tests/golden/test_tree_plans.py")
    yield from (f"--tree={folder}" for folder in trees.products.values())


def _search_path() -> str:
    """Return the PATH for the machine's own commands, and set it for this process.

    An ordinary user's PATH has no sbin on Debian, where mke2fs is.
    """
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    os.environ["PATH"] = path
    return path
