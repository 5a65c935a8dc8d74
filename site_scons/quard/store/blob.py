"""A blob of files: an uncompressed tar archive with one byte sequence per content.

What is in it, so that equal trees give equal bytes on every machine:
members sorted by the bytes of their path; owner 0, no names; modification time `EPOCH`; PAX headers
only for what ustar cannot say; modes as `normal_mode` leaves them; a further name of a file that
was already stored as a hard link to the first name in that order. A folder is stored when it is
listed among the paths; `walk` lists only those that other members do not imply, that is empty
ones and those whose mode is not 0755.
"""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Literal, Protocol, cast

from quard.errors import QuardError

EPOCH = 1
"""Modification time of every member, in seconds; 0 is read as 'unknown' by some programs."""

FOLDER_MODE = 0o755
"""Mode of a folder that no member names."""

_CHUNK = 1 << 20

_BAD_TAR = (tarfile.TarError, ValueError, OverflowError, EOFError)
"""What tarfile raises for malformed archives: its own errors and those of text and numbers."""


@dataclass(frozen=True)
class Member:
    """One entry of a blob.

    path   -- relative, normalised, with slashes
    mode   -- permission bits with setuid, setgid and sticky
    size   -- bytes of a file, else 0
    target -- of a link its text, of a hard link the path of an earlier file, else empty
    """

    path: str
    type: Literal["file", "dir", "link", "hardlink"]
    mode: int
    size: int
    target: str


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class _HashingReader:
    """A file that is hashed as tarfile reads it."""

    def __init__(self, file: _Readable) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def hexdigest(self) -> str:
        """Return the hash of the whole file, reading what is left of it."""
        while self.read(_CHUNK):
            pass
        return self._hash.hexdigest()


class _HashingWriter:
    """A file that is hashed as tarfile writes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def enough_space(folder: Path) -> Iterator[None]:
    """Turn 'no space' and 'quota exceeded' of what runs inside into QuardError `disk-full`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise QuardError(
            "no space left on the disk",
            detail=f"while writing below {folder}",
            reason="disk-full",
            hint="free some space on that file system and start again; finished work is kept",
        ) from error


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def normal_mode(mode: int, *, folder: bool) -> int:
    """Return the mode a blob stores: the owner may read and write, nobody else may write.

    The umask of a build and read-only installed files thus leave no trace, and no blob extracts
    to something that its owner cannot remove. Sticky folders such as /tmp keep all bits.
    """
    mode = stat.S_IMODE(mode)
    if not folder:
        return (mode | 0o600) & ~0o022
    if mode & stat.S_ISVTX:
        return mode | 0o700
    return (mode | 0o700) & ~0o022


def walk(root: Path) -> tuple[str, ...]:
    """Return the paths below `root` that `pack` needs to rebuild the tree, in sorted order."""
    found: list[str] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(root / folder) as entries:
            inside = list(entries)
        info = (root / folder).lstat()
        plain = normal_mode(info.st_mode, folder=True) == FOLDER_MODE
        if folder and not (inside and plain):
            found.append(folder)
        for entry in inside:
            path = posixpath.join(folder, entry.name)
            (pending if entry.is_dir(follow_symlinks=False) else found).append(path)
    return tuple(sorted(found, key=os.fsencode))


def pack(root: Path, paths: Sequence[str], out: Path) -> str:
    """Write the blob of `paths` below `root` to `out` and return its SHA-256.

    A listed folder stands for itself, not for what is in it. `out` appears complete or not at all.
    Raises QuardError `special-file` for devices, sockets and pipes, `file-name` for names that are
    not UTF-8, `unsafe-link` for links out of `root`, `disk-full`; FileNotFoundError for a path that
    is not there.
    """
    with enough_space(out.parent):
        handle, name = tempfile.mkstemp(prefix=".pack-", dir=out.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                writer = _HashingWriter(file)
                _write(root, paths, writer)
            Path(name).chmod(0o644)
            Path(name).replace(out)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return writer.hexdigest()


def members(blob: Path) -> tuple[Member, ...]:
    """Return what is in a blob, in its order; its hash is not looked at.

    Raises QuardError `corrupt-blob`, `unsafe-member`; FileNotFoundError.
    """
    try:
        with tarfile.open(blob, "r:", errors="strict") as tar:
            return tuple(_member(info) for info in tar)
    except _BAD_TAR as error:
        raise _corrupt(blob, f"not a tar archive: {error}") from error


def extract(blob: Path, into: Path, sha256: str) -> None:
    """Unpack a blob into the folder `into`, which may already hold other blobs' files.

    A file that is already there with the same content and mode is left alone. Nothing is ever
    written through a symbolic link, so that nothing outside `into` changes whatever the blob says;
    absolute link targets are kept, as they mean the target's root. After an error `into` is
    incomplete and must be thrown away.

    Raises QuardError `corrupt-blob` when the content does not have the hash (even if that shows up
    as another fault first), `file-collision`, `unsafe-member`, `disk-full`; FileNotFoundError when
    there is no such blob.
    """
    with blob.open("rb") as file, enough_space(into):
        reader = _HashingReader(file)
        try:
            with tarfile.open(
                fileobj=cast(IO[bytes], reader),  # stream mode only calls read()
                mode="r|",
                bufsize=_CHUNK,
                errors="strict",
            ) as tar:
                _unpack(tar, into)
        except _BAD_TAR as error:
            _verify(blob, reader, sha256)
            raise _corrupt(blob, f"not a tar archive: {error}") from error
        except (QuardError, OSError):
            _verify(blob, reader, sha256)
            raise
        _verify(blob, reader, sha256)


def _write(root: Path, paths: Sequence[str], writer: _HashingWriter) -> None:
    first_names: dict[tuple[int, int], str] = {}
    with tarfile.open(
        fileobj=cast(IO[bytes], writer),  # stream mode only calls write()
        mode="w|",
        bufsize=_CHUNK,
        format=tarfile.PAX_FORMAT,
        errors="strict",
    ) as tar:
        for path in sorted(set(paths), key=os.fsencode):
            if not _plain(path):
                raise ValueError(f"not a normalised relative path: {path!r}")
            _refuse_bytes(path, path)
            _add(tar, root, path, first_names)


def _plain(path: str) -> bool:
    """Tell whether a path is relative, normalised and stays inside."""
    if not path or path in (".", "..") or path.startswith(("/", "../")) or "\0" in path:
        return False
    return posixpath.normpath(path) == path


def _refuse_bytes(path: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QuardError(
            "a file name or link that is not UTF-8",
            detail=repr(path),
            reason="file-name",
            hint="rename or drop it in the recipe",
        ) from error


def _add(
    tar: tarfile.TarFile, root: Path, path: str, first_names: dict[tuple[int, int], str]
) -> None:
    place = root / path
    status = place.lstat()
    info = tarfile.TarInfo(path)
    info.mtime = EPOCH
    if stat.S_ISLNK(status.st_mode):
        info.type, info.mode = tarfile.SYMTYPE, 0o777
        info.linkname = str(place.readlink())
        _refuse_bytes(path, info.linkname)
        if _escapes(path, info.linkname):
            raise QuardError(
                f"a link that leads out of the packed folder: {path}",
                detail=f"{path} -> {info.linkname}",
                reason="unsafe-link",
                hint="make it absolute, or relative to something on the target",
            )
        tar.addfile(info)
    elif stat.S_ISDIR(status.st_mode):
        info.type, info.mode = tarfile.DIRTYPE, normal_mode(status.st_mode, folder=True)
        tar.addfile(info)
    elif stat.S_ISREG(status.st_mode):
        info.mode = normal_mode(status.st_mode, folder=False)
        first = first_names.setdefault((status.st_dev, status.st_ino), path)
        if first != path:
            info.type, info.linkname = tarfile.LNKTYPE, first
            tar.addfile(info)
            return
        with place.open("rb") as file:
            info.size = os.fstat(file.fileno()).st_size
            tar.addfile(info, file)
    else:
        raise QuardError(
            f"not a file, folder or link: {path}",
            detail=f"mode {stat.filemode(status.st_mode)}",
            reason="special-file",
            hint="devices are made by the image's table, not installed by packages",
        )


def _member(info: tarfile.TarInfo) -> Member:
    """Check one entry's name and kind; `unsafe-member` is what our own `pack` never writes."""
    path = info.name
    if not _plain(path):
        raise _unsafe(path, "its path leads out of the folder or is not normalised")
    mode = stat.S_IMODE(info.mode)
    if info.issym():
        if not info.linkname or _escapes(path, info.linkname):
            raise _unsafe(path, f"it links out of the folder: {info.linkname!r}")
        return Member(path, "link", 0o777, 0, info.linkname)
    if info.islnk():
        return Member(path, "hardlink", mode, 0, info.linkname)
    if info.isdir():
        return Member(path, "dir", mode, 0, "")
    if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not info.issparse():
        return Member(path, "file", mode, info.size, "")
    raise _unsafe(path, f"it is neither file, folder nor link (tar type {info.type!r})")


def _escapes(path: str, target: str) -> bool:
    """Tell whether a relative link leads out of the folder; absolute ones mean the new root."""
    landing = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return landing == ".." or landing.startswith("../")


def _unpack(tar: tarfile.TarFile, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    folders: set[str] = {""}
    files: set[str] = set()
    for info in tar:
        member = _member(info)
        place = into / member.path
        _make_parents(into, posixpath.dirname(member.path), folders)
        if member.type == "dir":
            _make_folder(place, member)
            folders.add(member.path)
        elif member.type == "link":
            _make_link(place, member)
        elif member.type == "hardlink":
            if member.target not in files:
                raise _unsafe(member.path, f"hard link to what is not in it: {member.target}")
            _make_hard_link(place, into / member.target, member)
        else:
            content = tar.extractfile(info)
            assert content is not None, "tarfile returns None for non-files only"
            _make_file(place, content, member)
            files.add(member.path)


def _make_parents(into: Path, folder: str, known: set[str]) -> None:
    if folder in known:
        return
    _make_parents(into, posixpath.dirname(folder), known)
    place = into / folder
    try:
        place.mkdir()
        place.chmod(FOLDER_MODE)
    except FileExistsError:
        _refuse_other(place, folder, stat.S_ISDIR, "a folder")
    known.add(folder)


def _make_folder(place: Path, member: Member) -> None:
    """Merge a folder: 0755 says nothing, so that the order of the blobs does not matter."""
    try:
        place.mkdir()
    except FileExistsError:
        _refuse_other(place, member.path, stat.S_ISDIR, "a folder")
        there = stat.S_IMODE(place.lstat().st_mode)
        if member.mode == FOLDER_MODE:
            return
        if there not in (FOLDER_MODE, member.mode):
            raise _collision(member.path, f"modes {there:04o} and {member.mode:04o}") from None
    place.chmod(member.mode)


def _make_link(place: Path, member: Member) -> None:
    try:
        place.symlink_to(member.target)
    except FileExistsError:
        _refuse_other(place, member.path, stat.S_ISLNK, f"a link to {member.target}")
        there = str(place.readlink())
        if there != member.target:
            raise _collision(member.path, f"links to {there} and {member.target}") from None


def _make_hard_link(place: Path, source: Path, member: Member) -> None:
    try:
        os.link(source, place, follow_symlinks=False)
    except FileExistsError:
        size = source.stat().st_size
        with source.open("rb") as content:
            _refuse_different(place, content, replace(member, type="file", size=size))


def _make_file(place: Path, content: _Readable, member: Member) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(place, flags, 0o600)
    except FileExistsError:
        _refuse_different(place, content, member)
        return
    with os.fdopen(handle, "wb") as file:
        while chunk := content.read(_CHUNK):
            file.write(chunk)
        file.flush()
        os.fchmod(file.fileno(), member.mode)
        os.utime(file.fileno(), (EPOCH, EPOCH))


def _refuse_different(place: Path, content: _Readable, member: Member) -> None:
    _refuse_other(place, member.path, stat.S_ISREG, f"a file of {member.size} bytes")
    status = place.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_size != member.size or not _equal(place, content):
        raise _collision(member.path, f"files of {status.st_size} and {member.size} bytes")
    if mode != member.mode:
        raise _collision(member.path, f"the same file with modes {mode:04o} and {member.mode:04o}")


def _equal(place: Path, content: _Readable) -> bool:
    with place.open("rb") as there:
        while chunk := content.read(_CHUNK):
            if there.read(len(chunk)) != chunk:
                return False
        return not there.read(1)


def _refuse_other(place: Path, path: str, kind: Callable[[int], bool], wanted: str) -> None:
    mode = place.lstat().st_mode
    if not kind(mode):
        raise _collision(path, f"there: {stat.filemode(mode)}; to be put there: {wanted}")


def _verify(blob: Path, reader: _HashingReader, sha256: str) -> None:
    found = reader.hexdigest()
    if found != sha256:
        raise _corrupt(blob, f"expected sha256 {sha256}\nfound    sha256 {found}")


def _corrupt(blob: Path, detail: str) -> QuardError:
    return QuardError(
        f"damaged blob {blob.name}",
        detail=detail,
        reason="corrupt-blob",
        hint="start the build again: what the store has lost is built anew",
    )


def _unsafe(path: str, why: str) -> QuardError:
    return QuardError(
        f"unsafe entry in a blob: {path!r}",
        detail=why,
        reason="unsafe-member",
        hint="this blob was not made by this build system; check where the cache comes from",
    )


def _collision(path: str, detail: str) -> QuardError:
    return QuardError(
        f"two different things at one path: {path}",
        detail=detail,
        reason="file-collision",
        hint="two packages install this path; drop it in one of their recipes",
    )
