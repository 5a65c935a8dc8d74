"""What a board builds a package from instead of, or in addition to, what the recipe says."""

from __future__ import annotations

from quard.base.record import Record, record
from quard.boards.trees import parted

OWN_TREES = (".dts", ".dtso", ".dtsi", ".h")
"""Endings of files of a board that device trees are made from; the first two are compiled."""
BLOBS = {".dts": ".dtb", ".dtso": ".dtbo"}
"""Ending of a source of a device tree or an overlay -> that of what is compiled from it."""


@record(kw_only=True)
class Release(Record):
    """Another source than the recipe's: an archive, or a commit of a git repository.

    version    -- "": the recipe's
    address    -- "": the recipe's, with the other version
    sha256     -- of the archive; "" for a commit
    size       -- of the archive in bytes; 0: not known
    mirrors    -- further addresses
    commit     -- "": it is an archive
    tree       -- the digest of the commit's files, as in a recipe
    submodules -- whether those of the repository are fetched
    """

    version: str
    address: str
    sha256: str
    size: int
    mirrors: tuple[str, ...]
    commit: str
    tree: str
    submodules: bool


@record(kw_only=True)
class Override(Record):
    """What a board says about the build of one package.

    file        -- the name of the board's file, for messages
    release     -- the source; None: the recipe's
    patches     -- applied after the recipe's, as names of files (quard.boards.trees). A recipe's
                   patches are for its own source: another one gets only these
    files       -- used instead of those files of the recipe that have the same name, likewise
    defconfig   -- the make target that writes the base configuration, instead of the recipe's base
                   and fragments; "": the recipe's
    devicetrees -- names of blobs of the source (.dtb, .dtbo), and names of own files
    """

    file: str
    release: Release | None = None
    patches: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    defconfig: str = ""
    devicetrees: tuple[str, ...] = ()

    @property
    def patch_places(self) -> dict[str, str]:
        """Name of a patch in the build -> that of its file, in the order of application."""
        return {
            f"board-{number}-{file_name(place)}": place for number, place in enumerate(self.patches)
        }

    @property
    def file_places(self) -> dict[str, str]:
        """Name of another file in the build -> that of the board's file, likewise."""
        own = (name for name in self.devicetrees if is_own(name))
        return {file_name(place): place for place in (*self.files, *own)}

    @property
    def said(self) -> tuple[str, ...]:
        """The keys that the board has for the package."""
        keys = {
            "sources": self.release,
            "patches": self.patches,
            "files": self.files,
            "defconfigs": self.defconfig,
            "devicetrees": self.devicetrees,
        }
        return tuple(key for key, value in keys.items() if value)

    def key(self, place: str) -> str:
        """Return the key of the board that names a file."""
        if place in self.patches:
            return "patches"
        return "files" if place in self.files else "devicetrees"


def is_own(name: str) -> bool:
    """Return whether an entry of `devicetrees` is a file of a tree, not a blob of the source."""
    return name.endswith(OWN_TREES)


def blob(entry: str) -> str:
    """Return the blob that an entry of `devicetrees` names or is compiled to; "" for neither."""
    if not is_own(entry):
        return entry
    stem, dot, ending = entry.rpartition(".")
    return stem + BLOBS[dot + ending] if dot + ending in BLOBS else ""


def file_name(place: str) -> str:
    """Return the name of a file without its tree and its folder."""
    return parted(place)[1].rpartition("/")[2]
