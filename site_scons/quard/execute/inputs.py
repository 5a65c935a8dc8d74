"""Where the things lie that a plan names by hash, and what a work folder holds already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from quard.sources.trees import Entry, Listing


@dataclass(frozen=True, kw_only=True)
class BuildInputs:
    """Where the things lie that a plan names by hash.

    archive -- the verified source, or None
    upstream -- it has upstream's own bytes, so that nothing may be missing in it
    tree    -- a local source tree in its place, or None
    kept    -- the local tree that the work folder was last built from, empty where that was an
               archive; None where the build starts from nothing
    compiled -- the work folder is as it was when a build was about to install
    made    -- called when that is so
    patches -- in the plan's order
    files   -- name -> path
    lay_out -- fills the sysroot folder with the dependencies' files
    """

    archive: Path | None
    upstream: bool
    tree: Listing | None
    kept: Mapping[str, Entry] | None
    patches: tuple[Path, ...]
    files: Mapping[str, Path]
    lay_out: Callable[[Path], None]
    compiled: bool
    made: Callable[[], None]
