"""The archives of one job: fetched, compared with its plan, unpacked, recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

from quard.base.errors import QuardError
from quard.base.files import changed
from quard.execute import unpack
from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.plan.source import TOP
from quard.sources.archives import Fetched
from quard.sources.fetch import Fetcher

Archives = Mapping[str, Fetched]
"""Folder below the source tree -> the archive that is unpacked there; TOP: the tree itself."""


def fetch(
    fetcher: Fetcher, job: Job, place: JobPlace, report: Callable[[str], None]
) -> dict[str, Fetched]:
    """Return the first accepted archive that is available for each folder.

    Raises QuardError: as `Fetcher.fetch` does, changed-while-building.
    """
    if place.requests:
        report("fetch")
    found = {request.into: fetcher.fetch(request) for request in place.requests}
    further = dict(job.plan.further)
    for into, archive in found.items():
        wanted = job.plan.archives if into == TOP else (further.get(into, ""),)
        if archive.sha256 not in wanted:
            raise changed(archive.path)
    return found


def record(archives: Archives) -> dict[str, Any]:
    """Return the part of a package's record that says what was unpacked."""
    # No addresses: the same bytes have others in other recipes and at other times.
    named = {
        into: {"file": archive.file, "sha256": archive.sha256}
        for into, archive in sorted(archives.items())
    }
    top = named.pop(TOP, None)
    return {**({"archive": top} if top else {}), **({"further": named} if named else {})}


def lay_out(archives: Mapping[str, Path], tree: Path, check: Callable[[], None]) -> None:
    """Unpack archives, each as its folder of the source tree, in their order.

    tree -- an empty folder, or a copied tree if none of the archives is for TOP
    Raises QuardError: as `unpack.unpack` does, source-in-the-way.
    """
    for into, archive in archives.items():
        require_free(tree, into, archive.name)
        if into == TOP:
            tree.rmdir()
        unpack.unpack(archive, tree / into, check)


def require_free(tree: Path, into: str, name: str) -> None:
    """Raise QuardError source-in-the-way unless a source `name` can be a folder of the tree."""
    if taken := _in_the_way(tree, into):
        raise QuardError(
            f"{name} cannot be unpacked as {into}",
            detail=f"the source has {taken} already",
            reason="source-in-the-way",
            hint="give this source another folder with `into`",
        )


def _in_the_way(tree: Path, into: str) -> str:
    """Return what is in the place of a folder of the tree, or of one above it; empty if nothing is.

    A link counts, wherever it leads: those of a copied tree may leave it.
    """
    folder = tree
    for step in PurePath(into).parts:
        folder /= step
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            return folder.relative_to(tree).as_posix()
    return into if folder.exists() and any(folder.iterdir()) else ""
