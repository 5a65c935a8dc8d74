"""File helpers: hashes, atomic replacement, removing trees."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeGuard

from quard.base import given
from quard.base.errors import QuardError

UMASK = 0o022
"""What is made here can be read by everybody, whoever makes it."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileRef:
    """A file that a recipe or a board names, by content."""

    name: str
    sha256: str


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a file beside `path`, which takes its place at the end.

    So the file is whole at any time, and when its writing fails it is the one that it was, with
    nothing left beside it. The folder is made. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, as 64 hexadecimal digits."""
    with given.opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class HashingWriter:
    """A file that is hashed while `tarfile` writes it, which asks no more of a file than this."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def hexdigest(self) -> str:
        """Return the hash of all that was written."""
        return self._hash.hexdigest()


def is_sha256(value: Any) -> TypeGuard[str]:
    """Tell whether a value that was read somewhere is a SHA-256 as `file_sha256` returns it."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def content(path: str) -> bytes:
    """Return all of a small file, in a third of the time that an object made by `open` takes.

    For what a null build reads thousands of. A pipe in its place is empty. Raises OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        pieces = []
        while piece := os.read(handle, 1 << 16):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(handle)


def changed(path: Path) -> QuardError:
    """Return the error for an input that is no longer what the plan was made from."""
    return QuardError(
        f"{path.name} was changed while it was being built",
        detail=str(path),
        reason="changed-while-building",
        hint="run the same command again",
    )


def remove_tree(folder: Path) -> None:
    """Remove a tree that may hold folders their owner cannot write to, as installed ones may be.

    A folder that does not exist is gone already.
    """
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
