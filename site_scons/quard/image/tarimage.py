"""rootfs.tar, from which all file systems are made: owners, modes and devices are tar fields.

So neither root nor fakeroot is needed. The root folder itself comes first, as `./`, for people who
unpack the file; the other members are sorted, folders before their content. Every member has the
time `MTIME`; nothing in the file depends on the build machine.
"""

from __future__ import annotations

import io
import itertools
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

from quard.base.errors import QuardError
from quard.base.files import HashingWriter
from quard.base.xattrs import Attributes
from quard.image.content import PIECE, Content, Runs
from quard.image.tree import ROOT, Kind, Node
from quard.image.write import whole_file

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MTIME = 1
"""Time of every file in an image, in seconds since 1970. e2fsprogs takes 0 for "no time"."""
_COPIED = 1 << 18
"""Bytes that are copied at a time: with tarfile's 16 KiB, writing takes a fifth longer."""
_TYPES: dict[Kind, bytes] = {
    "file": tarfile.REGTYPE,
    "directory": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "char": tarfile.CHRTYPE,
    "block": tarfile.BLKTYPE,
    "fifo": tarfile.FIFOTYPE,
}
_ATTRIBUTE = "SCHILY.xattr."
"""Begins the key of a record with an attribute, as star, GNU tar and tar2sqfs write and read it."""
_TYPE, _SIZE = slice(156, 157), slice(124, 135)
"""Places in a header (pax(1), ustar)."""
_KINDS = {code: kind for kind, code in _TYPES.items()} | {tarfile.AREGTYPE: "file"}


def write(nodes: Mapping[str, Node], path: Path) -> str:
    """Write a tar of the nodes and return its SHA-256; hard links follow their first path.

    Raises QuardError disk-full; after this and any other error, `path` is unchanged.
    """
    with whole_file(path) as file:
        digest = HashingWriter(file)
        first: dict[Node, str] = {}
        out = cast(IO[bytes], digest)
        with tarfile.TarFile(
            fileobj=out, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_COPIED
        ) as tar:
            tar.addfile(_member(".", ROOT))
            for name, node in sorted(nodes.items()):
                info = _member(name, node, again=node in first)
                if node in first:
                    info.type, info.linkname, info.size = tarfile.LNKTYPE, first[node], 0
                elif node.kind == "file":
                    first[node] = name
                if node.content and info.isreg():
                    _add_file(tar, info, node.content, len(first))
                else:
                    tar.addfile(info)
    return digest.hexdigest()


def read(path: Path, what: str = "rootfs.tar", *, ours: bool = True) -> dict[str, tuple[Node, int]]:
    """Return path -> (node, modification time) of a tar file, hard links as one node.

    The root folder is left out: it is `tree.ROOT` in every image.
    what -- name of the file for messages
    ours -- made by `write`: its files already have all useful holes
    Raises QuardError bad-tar for a file that is not a tar, is truncated or has other types.
    """
    found: dict[str, tuple[Node, int]] = {}
    with opened(path, what) as tar:
        for member in tar:
            name = member.name.removeprefix("./").rstrip("/")
            if name in ("", "."):
                continue
            if member.islnk():
                first = found.get(member.linkname.removeprefix("./"))
                if first is None:
                    raise bad_tar(what, f"{name} is a hard link to a missing file")
                found[name] = first
            else:
                found[name] = _node(member, path, what, ours), int(member.mtime)
    return found


@contextmanager
def opened(path: Path, what: str) -> Iterator[tarfile.TarFile]:
    """Open an uncompressed tar file; errors while it is read become QuardError bad-tar."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as error:
        raise bad_tar(what, str(error)) from error


def bad_tar(what: str, detail: str) -> QuardError:
    """Return the error for a tar file that cannot be used."""
    return QuardError(
        f"{what} cannot be read", detail=detail, reason="bad-tar", hint="delete it and build again"
    )


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
        records = b"".join(_record(_ATTRIBUTE + name, data) for name, data in self.attributes)
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


def _member(name: str, node: Node, *, again: bool = False) -> tarfile.TarInfo:
    """Return the headers of a node; `again`: another path of it has its attributes."""
    info = tarfile.TarInfo(name)
    if node.attributes and not again:
        info = _WithAttributes(name)
        info.attributes = node.attributes
    info.type, info.mode, info.mtime = _TYPES[node.kind], node.mode, MTIME
    info.uid, info.gid = node.uid, node.gid
    info.linkname = node.target
    info.size = node.content.size if node.content else 0
    info.devmajor, info.devminor = node.device
    return info


def _node(member: tarfile.TarInfo, path: Path, what: str, ours: bool) -> Node:
    kind = _KINDS.get(member.type)
    if kind is None:
        raise bad_tar(what, f"{member.name} has type {member.type!r}")
    runs: Runs | None = ((0, member.size),) if ours else None
    if member.issparse():
        sparse = cast(Runs, member.sparse)
        runs = tuple((offset, length) for offset, length in sparse if length)
    content = Content(member.size, path=path, offset=member.offset_data, runs=runs)
    return Node(
        kind=kind,
        mode=member.mode,
        uid=member.uid,
        gid=member.gid,
        content=content if kind == "file" else None,
        target=member.linkname if kind == "link" else "",
        device=(member.devmajor, member.devminor),
        attributes=_attributes(member) if ours else (),
    )


def _attributes(member: tarfile.TarInfo) -> Attributes:
    if not member.pax_headers:
        return ()
    records = sorted(member.pax_headers.items())
    return tuple(
        (key.removeprefix(_ATTRIBUTE), text.encode("utf-8", "surrogateescape"))
        for key, text in records
        if key.startswith(_ATTRIBUTE)
    )


def _add_file(tar: tarfile.TarFile, info: tarfile.TarInfo, content: Content, number: int) -> None:
    """Add a file; one with holes in sparse format 1.0, which GNU tar and tar2sqfs support.

    Its data starts with a list of the runs; its real name and size are in the extended header. GNU
    tar ends a file with its last run: one of no bytes at the end is for a hole there.
    """
    runs = content.data_runs
    if runs is None:
        with content.open() as file:
            tar.addfile(info, file)
        return
    if content.size > (sum(runs[-1]) if runs else 0):
        runs = (*runs, (content.size, 0))
    numbers = [len(runs), *itertools.chain.from_iterable(runs)]
    text = "".join(f"{number}\n" for number in numbers).encode()
    text += bytes(-len(text) % tarfile.BLOCKSIZE)
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": info.name,
        "GNU.sparse.realsize": str(content.size),
    }
    info.name = f"GNUSparseFile.0/{number}"  # short, otherwise it gets its own header
    info.size = len(text) + sum(length for _, length in runs)
    with content.open() as file, io.BufferedReader(_Packed(text, file, runs), PIECE) as packed:
        tar.addfile(info, packed)


class _Packed(io.RawIOBase):
    """Reads a text, and then the runs of a file one after another."""

    def __init__(self, text: bytes, file: IO[bytes], runs: Runs) -> None:
        super().__init__()
        self._pieces = self._read(text, file, runs)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _read(self, text: bytes, file: IO[bytes], runs: Runs) -> Iterator[bytes]:
        yield text
        for offset, length in runs:
            file.seek(offset)
            for start in range(0, length, PIECE):
                yield file.read(min(PIECE, length - start))
