"""rootfs.tar, from which all file systems are made: owners, modes and devices are tar fields.

So neither root nor fakeroot is needed. The root folder itself comes first, as `./`, for people who
unpack the file; the other members are sorted, folders before their content. Every member has the
time `MTIME`; nothing in the file depends on the build machine.
"""

from __future__ import annotations

import hashlib
import itertools
import tarfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from quard.base.errors import QuardError
from quard.base.freeing import freed_beside
from quard.base.record import Record, record
from quard.base.xattrs import Attributes
from quard.image import tarheader
from quard.image.content import PIECE, Content, Runs
from quard.image.tarheader import ATTRIBUTE, header
from quard.image.tree import ROOT, Node
from quard.image.write import whole_file

MTIME = tarheader.MTIME
_AHEAD = 4
"""Pieces of a file that are written, and not hashed yet."""
_KINDS = {code: kind for kind, code in tarheader.TYPES.items()} | {tarfile.AREGTYPE: "file"}


@record
class Written(Record):
    """A tar that was written.

    sha256 -- of the file
    places -- node -> its content in the file
    """

    sha256: str
    places: Mapping[Node, Content]

    def entries(
        self, nodes: Mapping[str, Node], digests: Mapping[Node, str]
    ) -> dict[str, tuple[Node, int]]:
        """Return what `read` returns for the file, with the SHA-256 of each content.

        nodes   -- those that were written
        digests -- node -> SHA-256 of its content
        """
        files = {
            node: replace(node, content=replace(content, sha256=digests[node]))
            for node, content in self.places.items()
        }
        return {name: (files.get(node, node), MTIME) for name, node in sorted(nodes.items())}


def write(nodes: Mapping[str, Node], path: Path) -> Written:
    """Write a tar of the nodes; hard links follow their first path.

    Raises QuardError disk-full; after this and any other error, `path` is unchanged.
    """
    with (
        freed_beside([path]),
        whole_file(path) as file,
        ThreadPoolExecutor(1) as other,
    ):
        out = _Out(file, other)
        out.write(header(".", ROOT))
        first: dict[Node, str] = {}
        places: dict[Node, Content] = {}
        for name, node in sorted(nodes.items()):
            if node in first:
                out.write(header(name, node, first=first[node]))
            elif node.content is None:
                out.write(header(name, node))
            else:
                first[node] = name
                places[node] = _write_file(name, node, node.content, len(first), out, path)
        out.write(bytes(2 * tarfile.BLOCKSIZE))
        out.write(bytes(-out.place % tarfile.RECORDSIZE))
        return Written(out.hexdigest(), places)


class _Out:
    """A file that another thread hashes while it is written.

    place -- bytes that were written
    """

    def __init__(self, file: IO[bytes], other: Executor) -> None:
        self._file = file
        self._other = other
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._begun: deque[Future[None]] = deque()
        self.place = self._handed = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._pieces.append(data)
        self.place += len(data)
        if self.place - self._handed >= PIECE:
            self._hand_on()

    def _hand_on(self) -> None:
        if len(self._begun) == _AHEAD:
            self._begun.popleft().result()
        self._begun.append(self._other.submit(self._update, self._pieces))
        self._pieces, self._handed = [], self.place

    def _update(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self._hash.update(piece)

    def hexdigest(self) -> str:
        """Return the SHA-256 of everything written."""
        self._hand_on()
        for future in self._begun:
            future.result()
        return self._hash.hexdigest()


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
        (key.removeprefix(ATTRIBUTE), text.encode("utf-8", "surrogateescape"))
        for key, text in records
        if key.startswith(ATTRIBUTE)
    )


def _write_file(
    name: str, node: Node, content: Content, number: int, out: _Out, path: Path
) -> Content:
    """Write a file, and return its content as `path` has it."""
    runs = content.data_runs
    if runs is None:
        out.write(header(name, node, content.size))
        place, size = out.place, content.size
        for piece in content.pieces():
            out.write(piece)
        runs = ((0, size),)
    else:
        headers, text = _sparse(name, node, content.size, runs, number)
        out.write(headers)
        out.write(text)
        place, size = out.place, len(text) + sum(length for _, length in runs)
        with content.open() as file:
            for piece in _packed(file, runs):
                out.write(piece)
    out.write(bytes(-size % tarfile.BLOCKSIZE))
    return Content(content.size, path=path, offset=place, runs=runs)


def _sparse(name: str, node: Node, size: int, runs: Runs, number: int) -> tuple[bytes, bytes]:
    """Return the headers and the list of runs of a file in sparse format 1.0.

    GNU tar and tar2sqfs support it. The data begins with the list; the real name and size are in
    the extended header. GNU tar ends a file with its last run: one of no bytes at the end is for a
    hole there.
    """
    listed = (*runs, (size, 0)) if size > (sum(runs[-1]) if runs else 0) else runs
    numbers = [len(listed), *itertools.chain.from_iterable(listed)]
    text = "".join(f"{number}\n" for number in numbers).encode()
    text += bytes(-len(text) % tarfile.BLOCKSIZE)
    stored = len(text) + sum(length for _, length in runs)
    # The name is short, otherwise it gets its own header.
    info = tarheader.member(f"GNUSparseFile.0/{number}", node, stored)
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": name,
        "GNU.sparse.realsize": str(size),
    }
    return tarheader.extended(info), text


def _packed(file: IO[bytes], runs: Runs) -> Iterator[bytes]:
    """Yield the runs of a file one after another."""
    for offset, length in runs:
        file.seek(offset)
        for start in range(0, length, PIECE):
            yield file.read(min(PIECE, length - start))
