"""Merging the entries of a blob into a folder that may already hold those of others.

Equal existing entries are left as they are. All other conflicts are errors, reported together.
Nothing is ever written through a symbolic link.
"""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from quard.base.errors import QuardError
from quard.base.plain import one_line
from quard.store.member import EPOCH, FOLDER_MODE, Member, checked_member, unsafe

_CHUNK = 1 << 20


class Collision(QuardError):
    """Entries that conflict with existing ones.

    found -- path -> description of the conflict
    """

    def __init__(self, found: Mapping[str, str]) -> None:
        paths = sorted(found)
        if len(paths) == 1:
            message, detail = f"two different files at the same path: {paths[0]}", found[paths[0]]
        else:
            message = f"different files at {len(paths)} paths"
            detail = "\n".join(one_line(f"{path}: {found[path]}") for path in paths)
        super().__init__(
            message,
            detail=detail,
            reason="file-collision",
            hint="two packages install each of them: drop it in one of their recipes",
        )
        self.found = found


def merge(tar: tarfile.TarFile, into: Path) -> None:
    """Unpack a blob that is read in order.

    Raises Collision for all conflicts together, QuardError `unsafe-member`, OSError, and tarfile's
    exceptions for malformed archives.
    """
    into.mkdir(parents=True, exist_ok=True)
    folders: set[str] = {""}
    files: set[str] = set()
    met: dict[str, str] = {}
    for info in tar:
        member = checked_member(info)
        if member.type == "hardlink" and member.target in met:
            continue
        try:
            _add(tar, info, member, into, folders, files)
        except Collision as error:
            met |= error.found
    if met:
        raise Collision(met)


def _add(
    tar: tarfile.TarFile,
    info: tarfile.TarInfo,
    member: Member,
    into: Path,
    folders: set[str],
    files: set[str],
) -> None:
    """Put one member in its place; `folders` and `files` are those already put."""
    place = into / member.path
    _make_parents(into, posixpath.dirname(member.path), folders)
    if member.type == "dir":
        _make_folder(place, member)
        folders.add(member.path)
    elif member.type == "link":
        _make_link(place, member)
    elif member.type == "hardlink":
        if member.target not in files:
            raise unsafe(member.path, f"hard link to a file that is not in it: {member.target}")
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
    """Merge a folder. Mode 0755 yields to any other, so that the order of blobs does not matter."""
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
        there = os.readlink(place)
        if there != member.target:
            raise _collision(member.path, f"links to {there} and {member.target}") from None


def _make_hard_link(place: Path, source: Path, member: Member) -> None:
    try:
        os.link(source, place, follow_symlinks=False)
    except FileExistsError:
        size = source.stat().st_size
        with source.open("rb") as content:
            _refuse_different(place, content, replace(member, type="file", size=size))


def _make_file(place: Path, content: IO[bytes], member: Member) -> None:
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


def _refuse_different(place: Path, content: IO[bytes], member: Member) -> None:
    _refuse_other(place, member.path, stat.S_ISREG, f"a file of {member.size} bytes")
    status = place.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_size != member.size or not _equal(place, content):
        raise _collision(member.path, f"files of {status.st_size} and {member.size} bytes")
    if mode != member.mode:
        raise _collision(member.path, f"the same file with modes {mode:04o} and {member.mode:04o}")


def _equal(place: Path, content: IO[bytes]) -> bool:
    with place.open("rb") as there:
        while chunk := content.read(_CHUNK):
            if there.read(len(chunk)) != chunk:
                return False
        return not there.read(1)


def _refuse_other(place: Path, path: str, kind: Callable[[int], bool], wanted: str) -> None:
    mode = place.lstat().st_mode
    if not kind(mode):
        raise _collision(path, f"found: {stat.filemode(mode)}; wanted: {wanted}")


def _collision(path: str, detail: str) -> Collision:
    return Collision({path: detail})
