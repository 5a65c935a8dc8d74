"""One entry of a blob: the names, kinds and modes that it can have."""

from __future__ import annotations

import posixpath
import stat
import tarfile
from typing import Literal

from quard.base.errors import QuardError
from quard.base.links import leads_out
from quard.base.plain import short
from quard.base.record import Record, record

EPOCH = 1
"""Modification time of every member, in seconds; 0 is read as 'unknown' by some programs."""

FOLDER_MODE = 0o755
"""Mode of a folder that is not listed as a member."""


@record
class Member(Record):
    """One entry of a blob.

    path   -- relative, normalised, with slashes
    mode   -- permission bits with setuid, setgid and sticky
    size   -- bytes of a file, else 0
    target -- text of a link, or for a hard link the path of an earlier file; else empty
    """

    path: str
    type: Literal["file", "dir", "link", "hardlink"]
    mode: int
    size: int
    target: str


def normal_mode(mode: int, *, folder: bool) -> int:
    """Return the mode that a blob stores: the owner may read and write, nobody else may write.

    So the umask of a build and read-only installed files have no effect, and the owner can remove
    everything extracted from a blob. Sticky folders such as /tmp keep all bits.
    """
    mode = stat.S_IMODE(mode)
    if not folder:
        return (mode | 0o600) & ~0o022
    if mode & stat.S_ISVTX:
        return mode | 0o700
    return (mode | 0o700) & ~0o022


def is_plain(path: str) -> bool:
    """Return whether a path is relative, normalised and does not lead outside."""
    if not path or path in (".", "..") or path.startswith(("/", "../")) or "\0" in path:
        return False
    return posixpath.normpath(path) == path


def checked_member(info: tarfile.TarInfo) -> Member:
    """Check one entry's name and kind.

    Raises QuardError `unsafe-member` for an entry that `pack` never writes.
    """
    path = info.name
    if not is_plain(path):
        raise unsafe(path, "its path points out of the folder or is not normalised")
    mode = stat.S_IMODE(info.mode)
    if info.issym():
        if not info.linkname or leads_out(path, info.linkname):
            raise unsafe(path, f"it links out of the folder: {short(repr(info.linkname))}")
        return Member(path, "link", 0o777, 0, info.linkname)
    if info.islnk():
        return Member(path, "hardlink", mode, 0, info.linkname)
    if info.isdir():
        return Member(path, "dir", mode, 0, "")
    if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not info.issparse():
        return Member(path, "file", mode, info.size, "")
    raise unsafe(path, f"it is not a file, folder or link (tar type {info.type!r})")


def unsafe(path: str, why: str) -> QuardError:
    """Return the error for an entry that must not be unpacked."""
    return QuardError(
        f"unsafe entry in a blob: {path!r}",
        detail=why,
        reason="unsafe-member",
        hint="this blob was not made by this build system; check where the cache comes from",
    )
