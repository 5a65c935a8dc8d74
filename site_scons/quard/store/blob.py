"""A blob of files: an uncompressed tar archive with one byte sequence per content.

Equal trees give equal bytes on every machine, as the format is fixed:
members sorted by the bytes of their path; owner 0, no names; modification time `EPOCH`; PAX headers
only for what ustar cannot express; modes as returned by `normal_mode`; a further name of a file
stored as a hard link to its first name in that order. A folder is stored if it is listed among
the paths; `walk` lists only those that other members do not imply, that is, empty ones and those
whose mode is not 0755.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

from quard.base.errors import QuardError, together
from quard.base.files import HashingWriter
from quard.base.links import leads_out
from quard.base.plain import one_line, short
from quard.base.space import enough_space
from quard.store.member import (
    EPOCH,
    FOLDER_MODE,
    Member,
    checked_member,
    is_plain,
    normal_mode,
)
from quard.store.merge import merge

_CHUNK = 1 << 20

_BAD_TAR = (tarfile.TarError, ValueError, OverflowError, EOFError)
"""Exceptions that tarfile raises for malformed archives: its own, and those of text and numbers."""


class _HashingReader:
    """A file that is hashed as tarfile reads it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def hexdigest(self) -> str:
        """Read the rest of the file and return the hash of all of it."""
        while self.read(_CHUNK):
            pass
        return self._hash.hexdigest()


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

    A listed folder does not include its content. `out` is written completely or not at all.
    Raises QuardError `special-file` for devices, sockets and pipes, `file-name` for names that are
    not UTF-8, `unsafe-link` for all links out of `root` together, `disk-full`; FileNotFoundError
    for a path that does not exist.
    """
    with enough_space(out.parent):
        handle, name = tempfile.mkstemp(prefix=".pack-", dir=out.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                writer = HashingWriter(file)
                _write(root, paths, writer)
            Path(name).chmod(0o644)
            Path(name).replace(out)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return writer.hexdigest()


def members(blob: Path) -> tuple[Member, ...]:
    """Return the members of a blob, in its order; its hash is not verified.

    Raises QuardError `corrupt-blob`, `unsafe-member`; FileNotFoundError.
    """
    try:
        with tarfile.open(blob, "r:", errors="strict") as tar:
            return tuple(checked_member(info) for info in tar)
    except _BAD_TAR as error:
        raise _corrupt(blob, f"not a tar archive: {error}") from error


def extract(blob: Path, into: Path, sha256: str) -> None:
    """Unpack a blob into the folder `into`, which may already hold other blobs' files.

    A file that already exists with the same content and mode is left as it is. Nothing is ever
    written through a symbolic link, so no blob can change anything outside `into`. Absolute link
    targets are kept, as they start at the target's root. After an error `into` is incomplete and
    must be discarded.

    Raises QuardError `corrupt-blob` if the content does not have the hash (even if another fault
    shows up first), `file-collision`, `unsafe-member`, `disk-full`; FileNotFoundError if the blob
    does not exist.
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
                merge(tar, into)
        except _BAD_TAR as error:
            _verify(blob, reader, sha256)
            raise _corrupt(blob, f"not a tar archive: {error}") from error
        except (QuardError, OSError):
            _verify(blob, reader, sha256)
            raise
        _verify(blob, reader, sha256)


def _write(root: Path, paths: Sequence[str], writer: HashingWriter) -> None:
    first_names: dict[tuple[int, int], str] = {}
    wrong: list[QuardError] = []
    with tarfile.open(
        fileobj=cast(IO[bytes], writer),  # stream mode only calls write()
        mode="w|",
        bufsize=_CHUNK,
        format=tarfile.PAX_FORMAT,
        errors="strict",
    ) as tar:
        for path in sorted(set(paths), key=os.fsencode):
            if not is_plain(path):
                raise ValueError(f"not a normalised relative path: {path!r}")
            try:
                _refuse_bytes(path, path)
                _add(tar, root, path, first_names)
            except QuardError as error:
                wrong.append(error)
    if wrong:
        raise together("the files of the package", wrong)


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
        info.linkname = os.readlink(place)
        _refuse_bytes(path, info.linkname)
        if leads_out(path, info.linkname):
            raise QuardError(
                f"a link that points out of the packed folder: {path}",
                detail=one_line(f"{short(path)} -> {short(info.linkname)}"),
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


def _verify(blob: Path, reader: _HashingReader, sha256: str) -> None:
    found = reader.hexdigest()
    if found != sha256:
        raise _corrupt(blob, f"expected sha256 {sha256}\nfound    sha256 {found}")


def _corrupt(blob: Path, detail: str) -> QuardError:
    return QuardError(
        f"damaged blob {blob.name}",
        detail=detail,
        reason="corrupt-blob",
        hint="start the build again: what is missing from the store is rebuilt",
    )
