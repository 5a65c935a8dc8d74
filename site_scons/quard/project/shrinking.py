"""`./scons gc`: stores and compiled files are shrunk to the user's limits, unused tools removed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from quard.boards.launching import CCACHE, LIMIT
from quard.boards.settings import Settings
from quard.execute import compiled
from quard.face.console import Console
from quard.image import lent
from quard.project.launching import FOLDER
from quard.remote.away import remove_old
from quard.sources.watch import amount
from quard.store.local import Store
from quard.store.shrink import shrink
from quard.tools.unused import remove

if TYPE_CHECKING:
    from quard.project.host import Host


def shrink_after(host: Host, settings: Settings, console: Console) -> None:
    """Shrink what a run may have made larger; what cannot be removed is there the next time."""
    lines: Iterator[str] = iter(())
    if settings.limit is not None:
        lines = shrunk(host.stores.all, settings.limit)
    if settings.launching and settings.launching.name == CCACHE:
        lines = chain(lines, recompiled(host.site.cache, settings))
    try:
        for line in lines:
            if " removed 0 " not in line:
                console.note(line)
    except OSError as error:
        console.warn(f"the store cannot be shrunk: {error.strerror}")


def shrunk(stores: Iterable[Store], limit: int | None, *, dry: bool = False) -> Iterator[str]:
    """Shrink stores to `limit` bytes each; yield a line for each that is there.

    dry -- remove nothing, and say what would be removed
    Raises OSError.
    """
    word = "would remove" if dry else "removed"
    for store in stores:
        if not store.root.is_dir():
            continue
        found = shrink(store, limit, time.time(), dry=dry)
        results = f"{found.results} result{'' if found.results == 1 else 's'}"
        line = f"{store.root}: {word} {results}, {amount(found.freed)}; {amount(found.left)} left"
        if limit is not None and found.left > limit:
            line += f", more than {amount(limit)}: the rest was used within the last hour"
        yield line
        if gone := remove_old(store.root, time.time(), dry=dry):
            yield f"{store.root}: {word} {gone} notes on blobs of remote caches"
    if limit is None:
        yield "cache.limit is not set: results stay, however old they are"


def tidied(tools: Path, *, dry: bool = False) -> Iterator[str]:
    """Remove the pinned tools that no build has used for a while; yield a line if there are any.

    tools -- folder of their packages and roots
    dry   -- remove nothing, and say what would be removed
    Raises OSError.
    """
    if tools.is_dir():
        found = remove(tools, time.time(), dry=dry)
        word = "would remove" if dry else "removed"
        yield (
            f"{tools}: {word} {found.roots} roots, {found.packages} packages, {found.modules}"
            f" folders of compiled modules and {found.downloads} downloads of the pinned tools,"
            f" {amount(found.size)}"
        )


def relent(cache: Path, *, dry: bool = False) -> Iterator[str]:
    """Remove the segments of images that were not made for a while; yield a line if there are any.

    dry -- remove nothing, and say what would be removed
    Raises OSError.
    """
    folder = cache / lent.FOLDER
    if folder.is_dir():
        count = lent.remove_unused(folder, time.time(), dry=dry)
        word = "would remove" if dry else "removed"
        yield f"{folder}: {word} the compressed segments of {count} images"


def recompiled(cache: Path, settings: Settings, *, dry: bool = False) -> Iterator[str]:
    """Shrink the folder of compiled files to the settings' limit; yield a line if it is there.

    dry -- remove nothing, and say what would be removed
    Raises OSError.
    """
    folder = cache / FOLDER
    limit = settings.launching.limit if settings.launching else LIMIT
    if folder.is_dir():
        found = compiled.shrink(folder, limit, time.time(), dry=dry)
        word = "would remove" if dry else "removed"
        yield (
            f"{folder}: {word} {found.files} compiled files, {amount(found.freed)};"
            f" {amount(found.left)} left"
        )
