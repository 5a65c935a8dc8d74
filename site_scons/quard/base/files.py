"""File helpers: hashes, atomic replacement, removing trees."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeGuard

from quard.base import given
from quard.base.errors import QuardError
from quard.base.kconfig_lines import settings
from quard.base.record import Record, record

UMASK = 0o022
"""Umask for all written files: readable by everybody, and the user's umask does not matter."""
_SMALL = 1 << 16
_SHA256 = re.compile(r"[0-9a-f]{64}")


@record
class FileRef(Record):
    """A file that a recipe or a board names, with the hash of what a build sees of it.

    settings -- it is a Kconfig fragment: builds see its settings, see quard.base.kconfig_lines
    """

    name: str
    sha256: str
    executable: bool = False
    settings: bool = False

    @property
    def entry(self) -> list[str]:
        """Its name, and everything else that a build can observe of it."""
        kind = _SETTINGS if self.settings else _EXECUTABLE if self.executable else ""
        return [self.name, self.sha256 + kind]


def observe(path: Path | str, name: str, *, runs: bool = False, origin: str = "") -> FileRef:
    """Return a file as a build sees it.

    runs   -- a build may run it, so its mode counts
    origin -- of a Kconfig fragment, for messages; "": it is another file
    Raises OSError, QuardError bad-fragment.
    """
    content = given.content(path)
    executable = runs and not origin and bool(os.stat(path).st_mode & stat.S_IXUSR)
    if origin:
        content = settings(content, origin)
    return FileRef(name, hashlib.sha256(content).hexdigest(), executable, bool(origin))


_EXECUTABLE = "+x"
_SETTINGS = "+settings"


def file_ref(name: str, observed: str) -> FileRef:
    """Return the file with this `FileRef.entry`."""
    sha256 = observed.partition("+")[0]
    return FileRef(name, sha256, observed.endswith(_EXECUTABLE), observed.endswith(_SETTINGS))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file beside `path`, which replaces it at the end.

    The file is complete at any time. If writing fails, it keeps its old content and the temporary
    file is removed. The folder is created if needed. Several may replace one file at once: threads,
    and processes of containers that share a folder, whose ids may be equal. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.urandom(6).hex()}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def replace(path: Path, data: bytes) -> None:
    """Write a small file as `replacing` does, in half of its time. Raises OSError."""
    place = str(path)
    part = f"{place}.{os.urandom(6).hex()}.part"
    try:
        _write(part, data)
        os.rename(part, place)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


def _write(place: str, data: bytes) -> None:
    """Write a new file, and the folders above it if there are none."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        handle = os.open(place, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        handle = os.open(place, flags, 0o666)
    with open(handle, "wb", buffering=_SMALL) as file:
        file.write(data)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, as 64 hexadecimal digits."""
    with given.opened(path) as file:
        return sha256_of(file.fileno())


def sha256_of(handle: int) -> str:
    """Return the SHA-256 of what can be read from a descriptor, as 64 hexadecimal digits.

    `hashlib.file_digest` clears 256 KiB first, which takes longer than a small file.
    """
    piece = os.read(handle, _SMALL)
    found = hashlib.sha256(piece)
    if len(piece) == _SMALL:
        with open(handle, "rb", buffering=0, closefd=False) as rest:
            return hashlib.file_digest(rest, lambda: found).hexdigest()
    while piece:
        piece = os.read(handle, _SMALL)
        found.update(piece)
    return found.hexdigest()


class HashingWriter:
    """A file that is hashed while `tarfile` writes it; has only the methods that tarfile uses."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def hexdigest(self) -> str:
        """Return the hash of everything written so far."""
        return self._hash.hexdigest()


def is_sha256(value: Any) -> TypeGuard[str]:
    """Return whether a value is a SHA-256 in the form that `file_sha256` returns."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def content(path: str) -> bytes:
    """Return the content of a small file, in a third of the time that `open` and `read` take.

    For files that a null build reads by the thousand. A pipe counts as empty. Raises OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        pieces = []
        while piece := os.read(handle, 1 << 16):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(handle)


def listed(folder: Path, ending: str) -> list[str]:
    """Return the names in a folder that have this ending, sorted; none if there is no folder.

    A tenth of the time of Path.glob, for every null build. Raises OSError.
    """
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(ending))
    except (FileNotFoundError, NotADirectoryError):
        return []


def changed(path: Path) -> QuardError:
    """Return the error for an input that has changed since the plan was made."""
    return QuardError(
        f"{path.name} was changed while it was being built",
        detail=str(path),
        reason="changed-while-building",
        hint="run the same command again",
    )


def remove_tree(folder: Path) -> None:
    """Remove a tree, including folders that their owner cannot write to, as packages install them.

    A folder that does not exist is not an error.
    """
    if not os.path.lexists(folder):  # as is the case for most work folders, and quickly found out
        return
    try:
        shutil.rmtree(folder)
        return
    except FileNotFoundError:
        if not folder.exists():
            return
    except PermissionError:
        folder.chmod(0o700)
    for place, folders, _files in os.walk(folder):
        for name in folders:
            inside = Path(place, name)
            if not inside.is_symlink():
                inside.chmod(0o700)
    shutil.rmtree(folder)


def make_empty(folder: Path) -> None:
    """Make a folder that has nothing in it, whatever was at its place; its parents exist."""
    remove_tree(folder)
    folder.mkdir()
