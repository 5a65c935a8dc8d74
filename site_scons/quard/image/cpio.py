"""rootfs.cpio.gz, an initramfs in newc format (Linux: driver-api/early-userspace)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.image import limits, tarimage
from quard.image.content import Content
from quard.image.kept import Kept
from quard.image.roottar import RootTar
from quard.image.segments import Segment, Segments
from quard.image.tree import ROOT, Node
from quard.image.write import USE, Use, run, scratch

_LEVEL = 5
"""gzip level: 6 takes 50 % longer for less than 1 %, 9 five times as long."""
END = ".whole"
"""The archive's last file, which the overlay's /init checks for and removes: a kernel without
memory for the whole archive continues with the part that it has."""
_INITS = {"init", "sbin/init", "usr/sbin/init"}
_LARGE = 1 << 17
"""Bytes from which a file is compressed by itself. What is smaller shares a segment with others."""
_SHARING = 16
"""Files in a segment, on average."""
_MOST = 0xFFFFFFFF
"""The largest number that a field of a header holds."""


def cpio_gz(
    tar: RootTar,
    out: Path,
    *,
    use: Use = USE,
    kept: Kept | None = None,
    made_by: str = "",
) -> None:
    """Make a compressed cpio archive from rootfs.tar.

    kept    -- the last archive's compressed segments, which are used again and replaced
    made_by -- identity of the tools of `use`, and of how this version of the engine uses them
    The kernel starts only /init: an image without it gets a link to its /sbin/init, and one with
    its own /init gets END. The console must be in the archive, because devtmpfs is mounted later.
    The root folder comes first: without an entry it keeps the kernel's default mode, 1777.
    Raises QuardError: no-init, no-console, image-too-big (a file over 4 GiB), bad-tar, disk-full,
    tool-missing, image-tool, interrupted.
    """
    entries = dict(tar.entries)
    nodes = {name: node for name, (node, _) in entries.items()}
    for error in (*boot_errors(nodes), *limits.errors(nodes, ("cpio.gz",))):
        raise error
    if "init" in entries:
        # It has content, so that it takes a page of memory like the files before it.
        mark = Node("file", 0o644, content=Content(len(b"whole\n"), b"whole\n"))
        entries[END] = mark, tarimage.MTIME
    else:
        entries["init"] = Node("link", 0o777, target="sbin/init"), tarimage.MTIME
    with scratch(out) as folder:
        made, pieces = folder / out.name, folder / "pieces"
        pieces.mkdir()
        gzip = partial(_gzip, out=out, use=use)
        segments = Segments(kept or Kept(folder / "kept"), made_by, gzip, tar.path)
        with made.open("wb") as file:
            archive = _segments({".": (ROOT, tarimage.MTIME), **entries})
            segments.write(
                (Segment(partial(_bytes, each), _digest(each)) for each in archive), file, pieces
            )
        made.replace(out)


def _gzip(files: Sequence[Path], made: Path, *, out: Path, use: Use) -> None:
    # Not Python's zlib: it belongs to this machine, whose version decides the bytes. A process for
    # each: GNU gzip compares what it repeats beyond the end of a file, with what it has in memory
    # of an earlier one, and so chooses between equally long repetitions.
    run(("gzip", "--no-name", "--stdout", f"-{_LEVEL}"), out, stdout=made, each=files, use=use)


@record
class _Member(Record):
    """A member of an archive: its header with its name, and its data."""

    header: bytes
    data: Content | bytes

    @property
    def size(self) -> int:
        return len(self.data) if isinstance(self.data, bytes) else self.data.size


def _bytes(members: Sequence[_Member]) -> Iterator[bytes]:
    """Yield the bytes of members, padded to four."""
    for member in members:
        yield member.header
        if isinstance(member.data, bytes):
            yield member.data
        else:
            yield from member.data.pieces()
        yield bytes(-member.size % 4)


def _digest(members: Iterable[_Member]) -> str:
    """Return a digest of what decides the bytes of members; "" if that of a content is unknown."""
    total = hashlib.sha256()
    for member in members:
        total.update(member.header)
        if isinstance(member.data, bytes):
            total.update(member.data)
        elif member.data.sha256:
            total.update(member.data.sha256.encode())
        else:
            return ""
    return total.hexdigest()


def _segments(entries: Mapping[str, tuple[Node, int]]) -> Iterator[list[_Member]]:
    """Yield the members of an archive, those together that are compressed together.

    Where a segment begins depends on the files' names and sizes alone, and no member depends on
    another one: a file that is added, changed or removed changes its own segment.

    entries -- name -> node and time, in order
    """
    segment: list[_Member] = []
    for name, member in _members(entries):
        alone = member.size >= _LARGE
        if segment and (alone or segment[-1].size >= _LARGE or _number(name) % _SHARING == 0):
            yield segment
            segment = []
        segment.append(member)
    segment.append(_Member(_header("TRAILER!!!", (0, 0, 0, 0, 1, 0), 0, (0, 0)), b""))
    yield segment


def _members(entries: Mapping[str, tuple[Node, int]]) -> Iterator[tuple[str, _Member]]:
    """Yield name and member for each entry."""
    names: dict[Node, list[str]] = {}
    for name, (node, _) in entries.items():
        names.setdefault(node, []).append(name)
    numbers = _numbers(names)
    for name, (node, mtime) in entries.items():
        # The data goes with the last of a file's names, as gen_init_cpio of the kernel does.
        content = node.content if name == names[node][-1] else None
        data = node.target.encode() if content is None else content
        links = 2 if node.kind == "directory" else len(names[node])
        identity = (numbers[node], node.st_mode, node.uid, node.gid, links, mtime)
        size = len(data) if isinstance(data, bytes) else data.size
        yield name, _Member(_header(name, identity, size, node.device), data)


def _numbers(names: Mapping[Node, Sequence[str]]) -> dict[Node, int]:
    """Return an inode number for each node: from its first name, the next free one if two agree."""
    taken: set[int] = set()
    found: dict[Node, int] = {}
    for node, (name, *_) in names.items():
        number = _number(name)
        while number in taken or not number:
            number = (number + 1) & _MOST
        taken.add(number)
        found[node] = number
    return found


def _number(name: str) -> int:
    """Return a number of 32 bits that depends on a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def boot_errors(paths: Collection[str]) -> Iterator[QuardError]:
    """Yield an error for each reason why an archive of these paths cannot boot."""
    if not _INITS & set(paths):
        yield QuardError(
            "the image has neither /init nor /sbin/init, so a kernel cannot boot it",
            reason="no-init",
            hint="add busybox or another init to the board's packages",
        )
    if "dev/console" not in paths:
        yield QuardError(
            "the image has no /dev/console, which an initramfs needs",
            reason="no-console",
            hint='add "/dev/console" to [devices] in the system\'s table: char, 5, 1',
        )


def _header(name: str, identity: tuple[int, ...], size: int, device: tuple[int, int]) -> bytes:
    """Return header and name, padded to four bytes; `size` is the length of the data that follows.

    identity -- inode number, type and mode, uid, gid, links, modification time
    """
    path = name.encode() + b"\0"
    fields = (*identity, size, 0, 0, *device, len(path), 0)
    header = b"070701" + b"".join(b"%08X" % value for value in fields) + path
    return header + bytes(-len(header) % 4)
