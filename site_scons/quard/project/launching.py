"""The compiler launcher of a run, as the settings describe it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from quard.base.errors import QuardError
from quard.boards.launching import DISTCC, NONE, CompileHost
from quard.boards.settings import Settings
from quard.execute.distcc import Distcc
from quard.execute.launcher import Ccache, Launcher, program
from quard.plan.plan import Plan
from quard.process.sandbox import Bound
from quard.process.stop import Stop
from quard.process.system import MACHINE, System, shows
from quard.project.site import Site
from quard.project.tooling import Tooling

FOLDER = "ccache"
"""In the cache folder."""


def launcher(
    settings: Settings,
    tooling: Tooling,
    site: Site,
    stop: Stop,
    tell: Callable[[str], None],
    *,
    seals: bool,
) -> Launcher | None:
    """Return the launcher; None if there is none, or builds are not sealed, which is told.

    Raises QuardError tool-missing if the machine lacks it.
    """
    chosen = settings.launching
    if chosen is None or chosen.name == NONE:
        return None
    if not seals:
        tell(f"{chosen.name} is not used: builds are not sealed")
        return None
    words, shown = program(*find(chosen.name, tooling, site))

    if chosen.name == DISTCC:
        if settings.offline:
            return None
        return _distcc(chosen.hosts, words, shown, tooling, site, tell)

    def identity(plan: Plan) -> str:
        return tooling.builds_with(plan.made_by, native=plan.native)

    return Ccache(
        words=words,
        shown=shown,
        folder=site.cache / FOLDER,
        limit=chosen.limit,
        identity=identity,
        storage=None if settings.offline else _storage(chosen.storage, stop, tell),
    )


def _distcc(
    hosts: tuple[CompileHost, ...],
    words: tuple[str, ...],
    shown: tuple[Bound, ...],
    tooling: Tooling,
    site: Site,
    tell: Callable[[str], None],
) -> Distcc:
    """Return what lets hosts compile."""
    from quard.process.farm import Farm  # noqa: PLC0415 - most users have none

    folders = Farm(hosts, tell).folders
    return Distcc(
        words=words,
        shown=shown,
        hosts=tuple(zip(folders, (host.jobs for host in hosts), strict=True)),
        jobs=site.jobs,
        identity=tooling.builds_with((), native=False),
    )


def _storage(address: str, stop: Stop, tell: Callable[[str], None]) -> Callable[[str], Path] | None:
    """Return what gives the folder of a package's socket; None if no server is named."""
    if not address:
        return None
    from quard.remote.compiled import CompiledFiles  # noqa: PLC0415 - most users have none

    files = CompiledFiles(address, tell)
    stop.listen(files.stop)
    return files.folder


def find(name: str, tooling: Tooling, site: Site) -> tuple[System, Path]:
    """Return the system of a launcher, and where the machine has it.

    Raises QuardError tool-missing.
    """
    if pinned := tooling.pinned:
        if found := pinned.tool(name):
            return found
        detail, hint = "the lock has no package with it", "run ./scons tools-update"
    else:
        place = shutil.which(name, path=site.search)
        if place and shows(Path(place)):
            return MACHINE, Path(place)
        detail, hint = f"searched {site.search}", f"install it (Debian: {name})"
        if place:
            detail = f"{place} is not visible in sealed builds, which see /usr without /usr/local"
    raise QuardError(
        f"the compiler launcher {name} is missing",
        detail=detail,
        reason="tool-missing",
        hint=f'{hint}, or set [compiler] launcher = "none" in local.toml',
    )
