"""The inputs that a plan names by hash, and what a work folder already contains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from quard.base.files import FileRef
from quard.base.record import Record, record
from quard.process.sandbox import Work
from quard.sources.trees import Entry, Listing


@record(kw_only=True)
class BuildInputs(Record):
    """The inputs that a plan names by hash.

    archives -- folder below the source tree -> the verified archive that is unpacked there, in
               order; the tree's own one is the first
    upstream -- the tree has upstream's own bytes, so that no file may be missing
    tree    -- a local source tree that replaces the archive, or None
    folders -- the recipe's own folders, by the folders of the source tree that they are copied as
    kept    -- the files of local folders that the work folder was last built from, empty if there
               were none; None if the build starts from scratch
    compiled -- the work folder is in the state in which a build was about to install
    made    -- called when that state is reached
    read    -- returns the content of one of the plan's patches and files, verified
    lay_out -- fills the folders for the dependencies' files
    """

    archives: Mapping[str, Path]
    upstream: bool
    tree: Listing | None
    folders: Mapping[str, Listing]
    kept: Mapping[str, Entry] | None
    read: Callable[[FileRef], bytes]
    lay_out: Callable[[Work], None]
    compiled: bool
    made: Callable[[], None]
