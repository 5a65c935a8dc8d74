"""Having the tools and Python packages of a run before it builds anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
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
_PRODUCTS = "--file="
"""The first of the options that it adds before that one in a product's folder."""


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
    _start_again(workspace.trees.own)


def have_packages(own: Path, command: Command, settings: Settings, console: Console) -> None:
    """Start ./scons again if Python packages that only these settings need are not installed.

    own -- the checkout
    Raises QuardError python-packages where ./scons was not what started this process.
    """
    if settings.offline or not (command.builds or command.verb == "why"):
        return
    from importlib.util import find_spec  # noqa: PLC0415 - few settings need more packages

    asked, missing = os.environ.get(EXTRAS, "").split(), list[str]()
    for extra, module, setting in _needed(settings):
        if find_spec(module) is not None:
            continue
        if not os.environ.get(PREPARED) or extra in asked:
            raise QuardError(
                f"{setting} needs Python packages that are not installed",
                detail=f"no module {module}; requirements-{extra}.lock lists what is needed",
                reason="python-packages",
                hint="start ./scons instead of scons: it installs them into .venv",
            )
        missing.append(extra)
    if missing:
        os.environ[EXTRAS] = " ".join(dict.fromkeys((*asked, *missing)))
        console.close()
        _start_again(own)


def _needed(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield the NAME of requirements-NAME.lock, a module that it brings, and what needs it."""
    if settings.cache_url and settings.cache_s3_region:
        yield "s3", "botocore", "cache.s3_region"
    if settings.cache_url.startswith(_GRPC):
        yield "remote", "grpc", "cache.url"
    if settings.remote:
        yield "remote", "grpc", "remote.url"


def _start_again(own: Path) -> NoReturn:
    script, words = str(own / "scons"), sys.argv[1:]
    if words[:1] and words[0].startswith(_PRODUCTS):
        del words[: words.index(_QUIET)]
    if words[:1] == [_QUIET]:
        del words[0]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(script, (script, *words))
