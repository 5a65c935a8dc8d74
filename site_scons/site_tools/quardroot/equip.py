"""Having the tools and Python packages of a run before it builds anything."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from quard.base.errors import QuardError

if TYPE_CHECKING:
    from quard.boards.settings import Settings
    from quard.face.cli import Command
    from quard.face.console import Console
    from quard.project.workspace import Workspace

    from .guard import Guard

PREPARED = "QUARDROOT_TOOLS"
"""Variable of ./scons: which tools this machine was prepared for, pinned or machine."""
EXTRAS = "QUARDROOT_EXTRAS"
"""Variable of ./scons: which lock files it installs besides requirements.lock."""
_GRPC = ("grpc://", "grpcs://")
_QUIET = "-Q"
"""SCons' option that ./scons adds."""


def choose(workspace: Workspace, guard: Guard, *, fetch: bool, source: bool) -> None:
    """Decide which tools builds use, and require them. Raises QuardError.

    fetch  -- download pinned tools that are missing
    source -- the run only fetches, also what could not be downloaded before
    """
    tooling = workspace.host.tooling
    tooling.choose(fetch=fetch, again=source)
    if source:
        return
    require(workspace, guard)
    if tooling.pinned is None:
        _ = tooling.toolchain  # its absence is an error now


def require(workspace: Workspace, guard: Guard) -> None:
    """Start ./scons again if the machine's own tools are needed and it has not installed them.

    It installs them then, and the next run finds that it has.
    """
    if os.environ.get(PREPARED) != "pinned" or workspace.host.tooling.pinned is not None:
        return
    if why := workspace.host.tooling.unsaid:
        workspace.console.note(why)
    os.environ[PREPARED] = "machine"
    workspace.console.close()
    guard.release()
    _start_again(workspace.project)


def have_packages(project: Path, command: Command, settings: Settings, console: Console) -> None:
    """Start ./scons again if Python packages that only these settings need are not installed.

    Raises QuardError python-packages where ./scons was not what started this process.
    """
    if settings.offline or not (command.builds or command.verb == "why"):
        return
    if settings.cache_url and settings.cache_s3_region:
        _have(project, "s3", "botocore", "cache.s3_region", console)
    if settings.cache_url.startswith(_GRPC):
        _have(project, "remote", "grpc", "cache.url", console)
    if settings.remote:
        _have(project, "remote", "grpc", "remote.url", console)


def _have(project: Path, extra: str, module: str, setting: str, console: Console) -> None:
    """Require a module that the packages of requirements-EXTRA.lock bring."""
    if importlib.util.find_spec(module) is not None:
        return
    if not os.environ.get(PREPARED) or extra in os.environ.get(EXTRAS, "").split():
        raise QuardError(
            f"{setting} needs Python packages that are not installed",
            detail=f"no module {module}; requirements-{extra}.lock lists what is needed",
            reason="python-packages",
            hint="start ./scons instead of scons: it installs them into .venv",
        )
    os.environ[EXTRAS] = f"{os.environ.get(EXTRAS, '')} {extra}".lstrip()
    console.close()
    _start_again(project)


def _start_again(project: Path) -> NoReturn:
    script, words = str(project / "scons"), sys.argv[1:]
    if words[:1] == [_QUIET]:
        del words[0]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(script, (script, *words))
