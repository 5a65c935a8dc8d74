"""Binary packages of Debian, deb(5), read front to back without dpkg.

A package is an ar archive: the version of the format, a tar archive of control files, and a tar
archive of the files to install.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import os
import tarfile
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Literal, cast

from quard.base.errors import QuardError
from quard.base.plain import short
from quard.base.record import Record, record
from quard.sources.members import DAMAGE, Bad, Readable, Stream, Unsafe, members
from quard.tools.layout import placed

_MAGIC = b"!<arch>\n"
_HEADER = 60
_FORMAT = "debian-binary"
_DATA = "data.tar"
_COMMANDS = ("usr/bin/", "usr/sbin/")
_DEEPEST = 100

Kind = Literal["file", "folder", "link", "hard link"]


@record
class Entry(Record):
    """A file of a package that a root holds.

    path   -- in the root, relative and normalised
    mode   -- permission bits as the package has them
    target -- the text of a link, or for a hard link the path of another file
    """

    path: str
    kind: Kind
    mode: int
    size: int
    target: str


def entries(deb: Path) -> tuple[Entry, ...]:
    """Return what a root holds of a package, in the package's order.

    Raises QuardError bad-deb; OSError.
    """
    with refused(deb), closing(contents(deb)) as found:
        return tuple(entry for entry, _ in found)


def commands(deb: Path) -> tuple[str, ...]:
    """Return the names of a package's programs, sorted. Raises as `entries` does."""
    found = set()
    for entry in entries(deb):
        folder, _, name = entry.path.rpartition("/")
        if entry.kind != "folder" and f"{folder}/" in _COMMANDS:
            found.add(name)
    return tuple(sorted(found))


def contents(deb: Path) -> Generator[tuple[Entry, Stream], None, None]:
    """Yield what a root holds of a package, with the stream whose next bytes are a file's content.

    Raises Unsafe, Bad, and as `members` does.
    """
    with closing(members(deb, _data)) as found:
        for member, stream in found:
            path = placed(_normal(member.name))
            kind = _kind(member)
            if path is None:
                continue
            target = member.linkname
            if kind == "hard link":
                landing = placed(_normal(target))
                if landing is None:
                    raise Bad(f"{short(path)}: a hard link to {short(target)}, which is left out")
                target = landing
            yield Entry(path, kind, member.mode & 0o7777, member.size, target), stream


@contextmanager
def refused(deb: Path) -> Iterator[None]:
    """Convert what reading a package raises inside the block to QuardError bad-deb.

    Only faults of the package: OSError with a number passes.
    """
    try:
        yield
    except (Unsafe, Bad, *DAMAGE) as fault:
        raise _bad(deb, str(fault)) from None
    except OSError as fault:
        if fault.errno is not None:
            raise
        raise _bad(deb, str(fault)) from None  # gzip and bz2 report invalid data in this way


def _bad(deb: Path, why: str) -> QuardError:
    return QuardError(
        f"{deb.name} cannot be unpacked: it is damaged or no package",
        detail=f"{deb}\n{why}",
        reason="bad-deb",
        hint="remove the file to have it fetched again; if its sha256 is that of the lock, the lock"
        " needs another version of the package",
    )


@contextmanager
def _data(deb: Path) -> Iterator[Readable]:
    """Open the uncompressed tar archive of the files to install."""
    with deb.open("rb") as file:
        name, member = _find(file)
        suffix = name.removeprefix(_DATA)
        if suffix not in _OPENERS:
            raise Bad(f"{name}: a compression that is not supported")
        with _OPENERS[suffix](member) as opened:
            yield opened


class _Member:
    """The bytes of one member of an ar archive, as a file for the decompressors."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, at most `size`. Raises EOFError if the archive ends before."""
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        if not data and self._left and size:
            raise EOFError("the package ends too early")
        self._left -= len(data)
        return data


def _find(file: IO[bytes]) -> tuple[str, _Member]:
    """Move to the content of the member with the files; return its name and the member."""
    size = os.fstat(file.fileno()).st_size
    if file.read(len(_MAGIC)) != _MAGIC:
        raise Bad("it does not begin as an ar archive does")
    first = True
    while header := file.read(_HEADER):
        name, length = _parsed(header)
        start = file.tell()
        if start + length > size:
            raise EOFError(f"{name}: {length} bytes, but only {size - start} are left")
        if first:
            version = file.read(min(length, 100)) if name == _FORMAT else b""
            if not version.startswith(b"2."):
                raise Bad(f"it begins with {short(repr(name))}, not with version 2 of {_FORMAT}")
            first = False
        elif name.startswith(_DATA):
            return name, _Member(file, length)
        file.seek(start + length + length % 2)
    raise Bad(f"it has no {_DATA}")


def _parsed(header: bytes) -> tuple[str, int]:
    """Return the name and the size of a member of an ar archive."""
    size = header[48:58].strip()
    if len(header) < _HEADER or header[58:] != b"`\n" or not size.isdigit():
        raise Bad("a header of the ar archive is damaged")
    return header[:16].decode("ascii", "replace").rstrip().removesuffix("/"), int(size)


@contextmanager
def _zstd(member: _Member) -> Iterator[Readable]:
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError:
        raise Bad("its files are compressed with zstd, which needs Python 3.14") from None
    try:
        with module.open(member) as opened:
            yield opened
    except module.ZstdError as fault:
        raise tarfile.ReadError(str(fault)) from None


def _gzip(member: _Member) -> AbstractContextManager[Readable]:
    return gzip.open(cast(IO[bytes], member))


def _bzip2(member: _Member) -> AbstractContextManager[Readable]:
    return bz2.open(cast(IO[bytes], member))


def _xz(member: _Member) -> AbstractContextManager[Readable]:
    return lzma.open(cast(IO[bytes], member), format=lzma.FORMAT_XZ)


_OPENERS: dict[str, Callable[[_Member], AbstractContextManager[Readable]]] = {
    "": nullcontext,
    ".gz": _gzip,
    ".bz2": _bzip2,
    ".xz": _xz,
    ".zst": _zstd,
}


def _normal(name: str) -> str:
    """Return a member's path without leading and repeated slashes and dots."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise Unsafe(f"{short(name)}: a path that leaves the package")
    if len(parts) > _DEEPEST:
        raise Bad(f"{short(name)}: a path of {len(parts)} folders")
    return "/".join(parts)


def _kind(member: tarfile.TarInfo) -> Kind:
    if member.isdir():
        return "folder"
    if member.issym():
        return "link"
    if member.islnk():
        return "hard link"
    if member.isreg() and not member.issparse():
        return "file"
    raise Unsafe(f"{short(member.name)}: a device, pipe or other special file")
