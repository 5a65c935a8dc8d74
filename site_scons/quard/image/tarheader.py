"""The headers of members of rootfs.tar (pax(1)): ustar, and an extended one for what that lacks."""

from __future__ import annotations

import tarfile
from typing import Literal

from quard.base.xattrs import Attributes
from quard.image.tree import Kind, Node

MTIME = 1
"""Time of every file in an image, in seconds since 1970. e2fsprogs takes 0 for "no time"."""
ATTRIBUTE = "SCHILY.xattr."
"""Begins the key of a record with an attribute, as star, GNU tar and tar2sqfs write and read it."""
TYPES: dict[Kind, bytes] = {
    "file": tarfile.REGTYPE,
    "directory": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "char": tarfile.CHRTYPE,
    "block": tarfile.BLKTYPE,
    "fifo": tarfile.FIFOTYPE,
}
_TYPE, _SIZE = slice(156, 157), slice(124, 135)
"""Places in a header."""
_TEXT = 100
"""Bytes of a name or of the target of a link."""
_NUMBERS = 8**7
_SIZES = 8**11
"""Limits of numbers and of sizes."""
_SUM = 8 * ord(" ")
"""What the field of the checksum counts in it."""
_MAGIC = b"ustar\x0000" + bytes(64)
"""With the names of user and group, which are empty."""
_NO_DEVICE = bytes(16)
_END = bytes(155 + 12)


def header(name: str, node: Node, size: int = 0, first: str = "") -> bytes:
    """Return the headers of a member, which are those that tarfile writes, in a fifth of its time.

    size  -- of the data that follows
    first -- the path with the node's data and attributes, of which the member is a hard link
    """
    path = f"{name}/" if node.kind == "directory" else name
    target = first or node.target
    if (
        (node.attributes and not first)
        or not (path.isascii() and target.isascii() and max(len(path), len(target)) <= _TEXT)
        or not (0 <= node.uid < _NUMBERS and 0 <= node.gid < _NUMBERS and size < _SIZES)
        or max(node.device) >= _NUMBERS
    ):
        return extended(member(name, node, size, first))
    kind = tarfile.LNKTYPE if first else TYPES[node.kind]
    mode = node.mode & 0o7777
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, node.uid, node.gid, size, MTIME)
    device = b"%07o\0%07o\0" % node.device if node.kind in ("char", "block") else _NO_DEVICE
    begin, link = path.encode(), target.encode()
    total = _SUM + sum(b"".join((begin, numbers, kind, link, _MAGIC, device)))
    fields = (begin.ljust(_TEXT, b"\0"), numbers, b"%06o\0 " % total, kind)
    return b"".join((*fields, link.ljust(_TEXT, b"\0"), _MAGIC, device, _END))


def member(name: str, node: Node, size: int, first: str = "") -> tarfile.TarInfo:
    """Return a member for tarfile; the arguments are those of `header`."""
    info = tarfile.TarInfo(name)
    if node.attributes and not first:
        info = _WithAttributes(name)
        info.attributes = node.attributes
    info.type, info.mode, info.mtime = TYPES[node.kind], node.mode, MTIME
    info.uid, info.gid, info.size = node.uid, node.gid, size
    info.linkname = node.target
    if first:
        info.type, info.linkname = tarfile.LNKTYPE, first
    info.devmajor, info.devminor = node.device
    return info


def extended(info: tarfile.TarInfo) -> bytes:
    """Return the headers of a member, with an extended one if it is needed."""
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


class _WithAttributes(tarfile.TarInfo):
    """A member with extended attributes, which are records of its extended header.

    tarfile takes values of such records as texts: it would note other bytes as another character
    set, which not all programs know.
    """

    attributes: Attributes = ()

    def tobuf(
        self,
        format: Literal[0, 1, 2] | None = tarfile.PAX_FORMAT,
        encoding: str | None = "utf-8",
        errors: str = "surrogateescape",
    ) -> bytes:
        """Return the headers of the member; the arguments are those of tarfile."""
        header = super().tobuf(format, encoding, errors)
        records = b"".join(_record(ATTRIBUTE + name, data) for name, data in self.attributes)
        if header[_TYPE] == tarfile.XHDTYPE:
            end = tarfile.BLOCKSIZE + int(header[_SIZE], 8)
            records = header[tarfile.BLOCKSIZE : end] + records
            header = header[end + -end % tarfile.BLOCKSIZE :]
        extended = tarfile.TarInfo("././@PaxHeader")
        extended.type, extended.size = tarfile.XHDTYPE, len(records)
        padding = bytes(-len(records) % tarfile.BLOCKSIZE)
        return extended.tobuf(tarfile.USTAR_FORMAT) + records + padding + header


def _record(key: str, value: bytes) -> bytes:
    """Return a record of an extended header (pax(1)): its length, which counts itself, and text."""
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest
