"""`./scons tools-update`: the lock files of the pinned tools, made from what the mirrors have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from quard.base.errors import QuardError
from quard.boards import targets
from quard.boards.settings import Settings
from quard.boards.trees import Trees
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations
from quard.sources.watch import Progress
from quard.tools import names, update
from quard.tools.mirror import Mirror


def updated(
    trees: Trees, cache: Path, settings: Settings, progress: Progress, *, dry: bool
) -> Iterator[str]:
    """Write the lock files; yield lines that say what changed.

    In the folder of a product whose tree has targets with packages, these are the tree's own, with
    the same tools besides the compilers.

    cache -- the user's, in which fetched packages are kept
    dry   -- write nothing, and say what would change
    Raises QuardError, OSError.
    """
    found = targets.tools(trees, trees.start) if trees.start else {}
    place = trees.products[trees.start] if found else trees.own
    wanted = names.load(trees.own, found or targets.tools(trees, ""))
    folders = (settings.sources_folder,) if settings.sources_folder else ()
    where = Locations(
        folders, settings.mirrors, settings.offline, settings.tools_mirrors, settings.sites
    )
    fetcher = Fetcher(cache / "tools" / "debs", where, progress)
    since = update.recorded(place, wanted)
    mirror = Mirror(wanted.release, fetcher, progress, since=since)
    try:
        report = update.update(place, wanted, mirror, dry=dry)
    except KeyboardInterrupt:
        raise QuardError(
            "tools-update was interrupted",
            detail="no lock file was written",
            reason="interrupted",
            hint="the next one resumes it",
        ) from None
    yield from report.lines(mirror.release.version, dry=dry)
