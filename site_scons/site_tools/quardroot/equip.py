"""Having the tools of a run before it builds anything."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quard.project.workspace import Workspace

    from .guard import Guard

PREPARED = "QUARDROOT_TOOLS"
"""Variable of ./scons: which tools this machine was prepared for, pinned or machine."""
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
    script, words = str(workspace.project / "scons"), sys.argv[1:]
    if words[:1] == [_QUIET]:
        del words[0]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(script, (script, *words))
