"""Unpacking source archives into folders, without trusting the archive.

The rules are those of `tarfile`'s data filter (PEP 706), but not its code: Python 3.11.2, which
Debian 12 ships, has no filters yet, and the filters resolve every path through the file system.
Here everything goes into a new folder that nothing else writes to, and no member may be reached
through a link, so checking names is enough.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

from quard.base import links
from quard.base.errors import QuardError
from quard.base.plain import one_line
from quard.base.space import disk_full, is_full
from quard.sources.members import DAMAGE, Bad, Stream, Unsafe, members

_LATEST = (1 << 33) - 1
_DEEPEST = 200
"""Folders in one path: walking and removing a tree take a Python stack frame for each."""
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FAULTS = (Unsafe, Bad, *DAMAGE)


def unpack(archive: Path, into: Path, check: Callable[[], None] = lambda: None) -> None:
    """Unpack a tar archive (plain, gzip, bzip2 or xz) as the folder `into`.

    A single top-level folder is left out. `into` must not exist, or be an empty folder; only one
    process at a time may unpack to it. Folders get mode 0755, files 0644, or 0755 if their owner
    may execute them; times are from the archive. Nothing is left behind after a failure, and the
    next call removes what a killed process left.

    check -- called before each member; an exception from it ends the unpacking
    Raises QuardError: `unsafe-archive` (a path or link that leaves the tree, a device, a
    decompression bomb), `truncated-archive` (incomplete or damaged), `bad-archive` (not a tar
    archive, or not one tree), `disk-full`, `cannot-unpack` (the system refused).
    """
    try:
        work = into.with_name(f".{into.name}.unpacking")
        _remove(work)
        work.mkdir(parents=True)
        try:
            top = _fill(work, archive, check)
            (work / top).rename(into)
        finally:
            _remove(work)
    except _FAULTS as fault:
        raise _archive_error(archive, fault) from None
    except OSError as fault:
        raise _system_error(archive, into, fault) from fault


def _archive_error(archive: Path, fault: Exception) -> QuardError:
    detail = f"{archive}\n{one_line(str(fault))}"
    if isinstance(fault, Unsafe):
        return QuardError(
            f"refused to unpack {archive.name}",
            detail=detail,
            reason="unsafe-archive",
            hint="before anything else, compare the archive with upstream's announcement",
        )
    if isinstance(fault, Bad):
        return QuardError(
            f"cannot make a source folder from {archive.name}",
            detail=detail,
            reason="bad-archive",
            hint="a source is a tar archive, plain or compressed with gzip, bzip2 or xz",
        )
    return QuardError(
        f"{archive.name} is incomplete or damaged",
        detail=detail,
        reason="truncated-archive",
        hint="if its sha256 is the recipe's, correct the recipe; otherwise remove the file",
    )


def _system_error(archive: Path, into: Path, fault: OSError) -> QuardError:
    if fault.errno is None:  # gzip and bz2 report invalid data in this way
        return _archive_error(archive, fault)
    if is_full(fault):
        return disk_full(f"unpacking {archive.name}", into.parent, fault.strerror or "")
    return QuardError(
        f"cannot unpack {archive.name}",
        detail=str(fault),
        reason="cannot-unpack",
        hint="the folder must be writable, and its file system must support links and long names",
    )


def _remove(tree: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(tree)


def _fill(work: Path, archive: Path, check: Callable[[], None]) -> str:
    """Unpack below `work`; return the top-level folder to leave out, or an empty string."""
    tree = _Unpacked(os.fspath(work))
    with contextlib.closing(members(archive)) as found:
        for member, data in found:
            check()
            tree.add(member, data)
    return tree.finish()


class _Unpacked:
    """The folder being filled. Paths are relative to it, normalized, and contain no links."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders: dict[str, float] = {}
        self._links: dict[str, str] = {}

    def add(self, member: tarfile.TarInfo, data: Stream) -> None:
        path = _normal(member.name)
        if member.isdir():
            self._folder(path, member.mtime)
            self._folders[path] = member.mtime
            return
        if not path:
            raise Bad(f"{member.name!r} is not a valid file name")
        self._folder(path.rpartition("/")[0], member.mtime)
        if member.issparse():
            raise Bad(f"{member.name}: a sparse file, which no source archive needs")
        if member.isreg():
            self._file(path, member, data)
        elif member.issym():
            self._symlink(path, member.linkname, member.mtime)
        elif member.islnk():
            self._hard_link(path, _normal(member.linkname))
        else:
            raise Unsafe(f"{member.name}: a device, pipe or other special file")

    def finish(self) -> str:
        """Check links, set the folders' times; return the name of a single top-level folder."""
        names = os.listdir(self._root)
        if not names:
            raise Bad("it is empty")
        top = names[0] if len(names) == 1 and names[0] in self._folders else ""
        for path in self._links:
            self._check_link(path, 1 if top else 0)
        for path, mtime in self._folders.items():
            os.chmod(self._at(path), 0o755)
            os.utime(self._at(path), ns=_nanoseconds(mtime))
        return top

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _folder(self, path: str, mtime: float) -> None:
        if path in self._folders:
            return
        if path:
            self._folder(path.rpartition("/")[0], mtime)
            if path in self._links:
                raise Unsafe(f"{path}: a path that continues behind a link")
            try:
                os.mkdir(self._at(path))
            except FileExistsError:
                raise Bad(f"{path}: a file and a folder with the same name") from None
        self._folders[path] = mtime

    def _make_room(self, path: str) -> None:
        """Remove an earlier member of this name: the last one wins, as with GNU tar."""
        if path in self._folders:
            raise Bad(f"{path}: a file and a folder with the same name")
        self._links.pop(path, None)
        os.unlink(self._at(path))

    def _file(self, path: str, member: tarfile.TarInfo, data: Stream) -> None:
        try:
            descriptor = os.open(self._at(path), _CREATE, 0o600)
        except FileExistsError:
            self._make_room(path)
            descriptor = os.open(self._at(path), _CREATE, 0o600)
        try:
            for piece in data.pieces(member.size):
                _write(descriptor, piece)
            os.fchmod(descriptor, 0o755 if member.mode & 0o100 else 0o644)
            os.utime(descriptor, ns=_nanoseconds(member.mtime))
        finally:
            os.close(descriptor)

    def _symlink(self, path: str, target: str, mtime: float) -> None:
        if target.startswith("/"):
            raise Unsafe(f"{path}: a link to the absolute path {target}")
        if os.path.lexists(self._at(path)):
            self._make_room(path)
        os.symlink(target, self._at(path))
        os.utime(self._at(path), ns=_nanoseconds(mtime), follow_symlinks=False)
        self._links[path] = target

    def _hard_link(self, path: str, target: str) -> None:
        if target.rpartition("/")[0] not in self._folders or not os.path.lexists(self._at(target)):
            raise Bad(f"{path}: a hard link to {target}, which does not exist")
        if path == target:
            return
        if os.path.lexists(self._at(path)):
            self._make_room(path)
        os.link(self._at(target), self._at(path), follow_symlinks=False)
        if target in self._links:
            self._links[path] = self._links[target]

    def _check_link(self, path: str, floor: int) -> None:
        """Follow a link as the system would, but only within the archive's own names."""
        try:
            links.followed(path, self._links.get, floor=floor)
        except links.Outside:
            target = self._links[path]
            raise Unsafe(f"{path}: a link to {target}, outside of the tree") from None
        except links.Circle:
            pass  # a dangling link, so it does not lead outside


def _normal(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise Unsafe(f"{name}: a path that leaves the tree")
    if len(parts) > _DEEPEST:
        raise Bad(f"{name[:80]}...: a path of {len(parts)} folders")
    return "/".join(parts)


def _nanoseconds(mtime: float) -> tuple[int, int]:
    moment = int(min(max(mtime, 0), _LATEST) * 1_000_000_000)
    return moment, moment


def _write(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]
