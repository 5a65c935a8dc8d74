"""Reading files that users name: only regular files, and only up to a size limit.

Reading a pipe could wait forever, and a device such as /dev/zero would fill the memory.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat

LARGEST = 64 << 20
"""Size limit in bytes of a patch, or of another file that becomes part of a build."""
TEXT = 1 << 20
"""Size limit in bytes of files written by hand: recipes, tables, fragments, lists of keys."""
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}

Place = str | os.PathLike[str]


def content(path: Place, largest: int = LARGEST) -> bytes:
    """Return a file's content. Raises OSError, also if it is no file or exceeds `largest`."""
    handle = _open(path)
    try:
        pieces, left = [], largest + 1
        while left and (piece := os.read(handle, min(left, 1 << 16))):
            pieces.append(piece)
            left -= len(piece)
    finally:
        os.close(handle)
    if not left:
        raise OSError(errno.EFBIG, f"it is larger than {largest >> 20} MiB", os.fspath(path))
    return b"".join(pieces)


def text(path: Place, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Return a text file's content with "\\n" line ends. Raises OSError, UnicodeDecodeError."""
    found = content(path, TEXT).decode(encoding, errors)
    return found.replace("\r\n", "\n").replace("\r", "\n")


def digest(path: Place) -> str:
    """Return the SHA-256 of a text file's bytes. Raises OSError."""
    return hashlib.sha256(content(path, TEXT)).hexdigest()


def opened(path: Place) -> io.BufferedReader:
    """Open a file for reading. Raises OSError, also if it is not a regular file."""
    return open(_open(path), "rb")


def _open(path: Place) -> int:
    try:
        handle = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise _unfit("a socket", path) from None  # the only way open(2) reports one
    kind = stat.S_IFMT(os.fstat(handle).st_mode)
    if kind != stat.S_IFREG:
        os.close(handle)
        raise _unfit(_KINDS.get(kind, "something else"), path)
    return handle


def _unfit(kind: str, path: Place) -> OSError:
    return OSError(errno.EINVAL, f"it is {kind}, not a file", os.fspath(path))
