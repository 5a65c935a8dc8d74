"""Where a job is done: how this machine finds its inputs, and the folders and files it writes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from quard.base import given
from quard.base.files import FileRef, changed
from quard.base.kconfig_lines import settings
from quard.base.record import Record, record
from quard.ledger.results import Results
from quard.plan.source import Request
from quard.sources.trees import Entry, Listing


@record(kw_only=True)
class ResultPlace(Record):
    """Where the result of one job is written: all that a package needs to be restored.

    tree    -- the local tree that replaces the source tree, if there is one. It is used in place
               and may be large: its files are not looked up one by one, but compared with this
               listing, whose digest is in the plan, when they are copied
    folders -- the recipe's own folders, by the folders of the source tree that they are copied as;
               compared with these listings in the same way
    work    -- the folder that a build works in
    log     -- path of the log
    """

    tree: Listing | None
    folders: Mapping[str, Listing] = field(default_factory=dict)
    results: Results
    work: Path
    log: Path

    def listings(self) -> dict[str, dict[str, str]]:
        """Return what is in each of the local folders, by their digests."""
        found = (*((self.tree,) if self.tree else ()), *self.folders.values())
        return {each.digest: each.described() for each in found}


@record(kw_only=True)
class JobPlace(ResultPlace):
    """The place of one job. Blobs come from the stores, archives through the fetcher.

    requests -- where the archives with the plan's digests may be, one for each folder; none for the
               source tree itself if a local tree replaces it
    is_own  -- the tree is a folder of the recipe, which other checkouts have: results are shared
    files   -- name -> path, of the plan's patches and files
    needs   -- name -> name for users, of the packages in the plan's needs and links
    natives -- the same of those in the plan's natives
    shown   -- name of the log in messages
    """

    requests: tuple[Request, ...]
    is_own: bool = False
    files: Mapping[str, Path]
    needs: Mapping[str, str]
    natives: Mapping[str, str]
    shown: str

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The entries of all local folders, by their paths in the source tree."""
        found = dict(self.tree.entries) if self.tree else {}
        for into, listing in self.folders.items():
            found |= {f"{into}/{path}": entry for path, entry in listing.entries.items()}
        return found

    def path(self, reference: FileRef) -> Path:
        """Return where a file of the plan should be. Raises QuardError changed-while-building."""
        found = self.files.get(reference.name)
        if found is None:
            raise changed(Path(reference.name))
        return found

    def read(self, reference: FileRef) -> bytes:
        """Return the content of a file of the plan; of a fragment, its settings.

        Raises QuardError: changed-while-building if it no longer has its digest, bad-fragment if a
        fragment has got another line since; OSError.
        """
        path = self.path(reference)
        try:
            content = given.content(path)
            if reference.settings:
                content = settings(content, reference.name)
        except FileNotFoundError:
            raise changed(path) from None
        if hashlib.sha256(content).hexdigest() != reference.sha256:
            raise changed(path)
        return content
