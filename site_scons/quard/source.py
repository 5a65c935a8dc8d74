"""What a recipe says about its sources: frozen data, a part of the recipes' vocabulary."""

from __future__ import annotations

from quard.base.record import Record, record


@record
class Alternate(Record):
    """The same release in an archive with other bytes, such as a distribution's repack.

    address -- of the file
    sha256 -- of these bytes
    differs -- the known differences, in a few words
    size   -- in bytes; 0: not known
    """

    address: str
    sha256: str
    differs: str
    size: int = 0


@record
class Source(Record):
    """A source archive, with upstream's address first. It is unpacked as the source tree.

    address    -- upstream's
    sha256     -- of the bytes at `address` and at every mirror
    provenance -- where the hash comes from, in a few words
    mirrors    -- further addresses of the same bytes; `debian:` is the machine's own Debian mirror
    alternates -- addresses of the same release with other bytes, each with its own hash
    size       -- in bytes; 0: not known. No more than this is downloaded
    into       -- the folder of the source tree that it is unpacked as; empty: the tree itself
    """

    address: str
    sha256: str
    provenance: str
    mirrors: tuple[str, ...] = ()
    alternates: tuple[Alternate, ...] = ()
    size: int = 0
    into: str = ""


@record
class Git(Record):
    """A commit of a git repository. It is kept as an archive, see quard.sources.git.

    address    -- of the repository
    commit     -- the full name of the commit, hexadecimal; not a branch or a tag
    tree       -- SHA-256 of the archive of the commit's files, which git's own names do not promise
    submodules -- whether those of the repository are fetched, and theirs
    mirrors    -- further addresses of the repository
    into       -- the folder of the source tree that it is unpacked as; empty: the tree itself
    """

    address: str
    commit: str
    tree: str
    submodules: bool = False
    mirrors: tuple[str, ...] = ()
    into: str = ""


@record
class Folder(Record):
    """A folder beside the recipe, with code of its own.

    path -- below the recipe's folder
    into -- the folder of the source tree that it is copied as; empty: the tree itself
    """

    path: str
    into: str = ""
