"""Local folders in a build's source tree: the tree itself, and the recipe's own folders in it.

A recipe's own folders are copied after the patches, which are for what was unpacked. So a later
build can replace what changed in such a folder, and need not apply a patch again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from quard.execute import renew, sources
from quard.execute.copying import copy, is_folder
from quard.execute.inputs import BuildInputs
from quard.sources.trees import Entry, Listing

Folders = Mapping[str, Listing]
"""Folder below the source tree -> what is copied there."""


def lay_out(folders: Folders, src: Path) -> None:
    """Copy the recipe's own folders into a patched source tree.

    Raises QuardError: source-in-the-way, changed-while-building.
    """
    for into, listing in folders.items():
        sources.require_free(src, into, listing.folder.name)
        (src / into).mkdir(parents=True, exist_ok=True)
        copy(listing, src / into)


def update(src: Path, kept: Mapping[str, Entry], inputs: BuildInputs, *, tracks: bool) -> bool:
    """Update a source tree in which `kept` has been built (JobPlace.entries) to the present state.

    tracks -- the package's own make tracks all dependencies
    Returns False if the build must start from scratch, in another folder.
    """
    tree, folders = inputs.tree, inputs.folders
    if not all(map(is_folder, _leading(src, folders))):
        return False  # a build can replace one by a link to anywhere
    inner = {into: _below(kept, into) for into in folders}
    if tree:
        theirs = {f"{into}/{path}" for into, old in inner.items() for path in old}
        old = {path: entry for path, entry in kept.items() if path not in theirs}
        if folders and _shape(old) != _shape(tree.entries):
            return False  # what came or went may be in the way of a folder, or have it inside
        if not renew.renew(src, old, tree, tracks=tracks):
            return False
    # Without a make that tracks dependencies, folders with a change are not updated (kept.base).
    return all(
        renew.renew(src / into, inner[into], listing, tracks=True)
        for into, listing in folders.items()
    )


def _below(kept: Mapping[str, Entry], into: str) -> dict[str, Entry]:
    prefix = f"{into}/"
    return {p.removeprefix(prefix): e for p, e in kept.items() if p.startswith(prefix)}


def _leading(src: Path, folders: Folders) -> Iterator[Path]:
    """Yield the places of the recipe's own folders, and all folders that lead there from `src`."""
    for into in folders:
        yield src / into
        yield from (src / above for above in PurePosixPath(into).parents)


def _shape(entries: Mapping[str, Entry]) -> dict[str, bool]:
    """Return path -> whether it is a folder."""
    return {path: entry.kind == "folder" for path, entry in entries.items()}
