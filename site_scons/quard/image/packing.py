"""Which data of files is in which block of a squashfs.

A block has 128 KiB. What a file has beyond its whole blocks is in a fragment: a block that several
files share. A part of a file that is zero takes no block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quard.base.files import changed
from quard.base.record import Record, record
from quard.image.content import Content
from quard.image.known import Known
from quard.image.tree import Node

SIZE = 1 << 17
"""Bytes of a block."""
FORM = f"digests of {SIZE}"
"""Of what is known of a content: SHA-256 of each block and of the rest, "" for zeros."""
NO_FRAGMENT = 0xFFFFFFFF
"""Number of the fragment of a file that has none."""
_AS_IT_IS = 1 << 24
_ZEROS = bytes(SIZE)
_LARGE = SIZE // 2
"""Bytes from which the end of a file has a fragment of its own."""


@record
class Piece(Record):
    """Bytes of a file, at most a block; `digest` is their SHA-256."""

    content: Content
    offset: int
    size: int
    digest: bytes

    def read(self) -> bytes:
        """Return the bytes. Raises QuardError changed-while-building if they are others."""
        data = self.content.part(self.offset, self.size)
        if hashlib.sha256(data).digest() != self.digest:
            raise changed(self.content.path or Path("rootfs.tar"))
        return data


@record
class Block(Record):
    """A block: pieces of files one behind the other, and zeros up to its end.

    name -- depends on the bytes and on what compresses them
    """

    name: str
    pieces: tuple[Piece, ...]

    def read(self) -> bytes:
        """Return the bytes of the whole block. Raises QuardError changed-while-building."""
        return b"".join(piece.read() for piece in self.pieces).ljust(SIZE, b"\0")


@dataclass(eq=False)
class Data:
    """The data of one file, or of several that have the same.

    blocks   -- None for one that is zero
    tail     -- what is in a fragment; None: nothing
    fragment -- number of the fragment with the tail
    offset   -- of the tail in the fragment
    start    -- where the first block is in the file system
    """

    size: int
    blocks: list[Block | None]
    tail: Piece | None
    fragment: int = NO_FRAGMENT
    offset: int = 0
    start: int = 0

    @property
    def zeros(self) -> int:
        """Bytes in blocks that are zero."""
        return sum(min(SIZE, self.size - n * SIZE) for n, b in enumerate(self.blocks) if b is None)

    @property
    def identity(self) -> tuple[object, ...]:
        """What is equal for equal data."""
        names = (block.name if block else None for block in self.blocks)
        return self.size, self.tail.digest if self.tail else None, *names


_Tail = tuple[str, Data, Piece]
"""Name of a file, its data, and the end of that."""


@dataclass
class Packing:
    """How the data of files is packed.

    of        -- node of a file -> its data
    fragments -- by number
    """

    of: dict[Node, Data] = field(default_factory=dict)
    fragments: list[Block] = field(default_factory=list)

    @property
    def data(self) -> Iterable[Data]:
        """All data, in order, equal data once."""
        return dict.fromkeys(self.of.values())

    @property
    def blocks(self) -> Iterator[Block]:
        """All blocks, in order."""
        for data in self.data:
            yield from filter(None, data.blocks)
        yield from self.fragments


def word(size: int) -> int:
    """Return the size of a compressed block as inodes and the table of fragments have it.

    One that is not smaller than the block itself is stored as it is: a bit says that.
    """
    return size | _AS_IT_IS if size == SIZE else size


def pack(files: Mapping[Node, str], made_by: str, known: Known) -> Packing:
    """Decide where the data of files is, each with its first name.

    made_by -- identity of what compresses blocks
    known   -- digests of the blocks of files that need not be read
    Which files share a fragment depends on their names and sizes, and on which are equal: a file
    that is edited changes its own fragment. Raises QuardError changed-while-building.
    """
    found = Packing()
    first: dict[object, Data] = {}
    tails: list[_Tail] = []
    for node, name in files.items():
        assert node.content is not None, "only files have data"
        data = _divide(node.content, made_by, known)
        found.of[node] = first.setdefault(data.identity, data)
        if data.tail and found.of[node] is data:
            tails.append((name, data, data.tail))
    for number, group in enumerate(_groups(tails)):
        end = 0
        for _, data, tail in group:
            data.fragment, data.offset = number, end
            end += tail.size
        found.fragments.append(_block([tail for _, _, tail in group], made_by))
    return found


def _divide(content: Content, made_by: str, known: Known) -> Data:
    """Return the data of a file."""
    whole, rest = divmod(content.size, SIZE)
    data = Data(content.size, [None] * whole, None)
    digests = known.get(content.sha256)
    if digests is None:
        digests = _digests(content)
        known.note(content.sha256, digests)
    for index, digest in enumerate(digests):
        if digest:
            size = SIZE if index < whole else rest
            piece = Piece(content, index * SIZE, size, bytes.fromhex(digest))
            if index < whole:
                data.blocks[index] = _block([piece], made_by)
            else:
                data.tail = piece
    if rest and not data.tail:
        data.blocks.append(None)
    return data


def _digests(content: Content) -> list[str]:
    """Return the SHA-256 of each block of a file, and of what is behind these; "" for zeros."""
    found = [""] * -(-content.size // SIZE)
    with content.open() as file:
        for index in _not_holes(content):
            file.seek(index * SIZE)
            read = file.read(min(SIZE, content.size - index * SIZE))
            if read != _ZEROS[: len(read)]:
                found[index] = hashlib.sha256(read).hexdigest()
    return found


def _block(pieces: Sequence[Piece], made_by: str) -> Block:
    total = hashlib.sha256(f"{made_by}\n".encode())
    for piece in pieces:
        total.update(piece.digest)
        total.update(piece.size.to_bytes(4, "little"))
    return Block(total.hexdigest(), tuple(pieces))


def _not_holes(content: Content) -> Iterator[int]:
    """Yield the numbers of blocks that have some data."""
    after = 0
    for offset, length in content.runs if content.runs is not None else ((0, content.size),):
        first, end = max(offset // SIZE, after), -(-(offset + length) // SIZE)
        yield from range(first, end)
        after = max(after, end)


def _groups(tails: Iterable[_Tail]) -> Iterator[list[_Tail]]:
    """Yield the tails that share a fragment."""
    group: list[_Tail] = []
    size = last = 0
    for name, data, tail in tails:
        alone = max(tail.size, last) >= _LARGE
        if group and (alone or size + tail.size > SIZE or _begins(name, tail.size)):
            yield group
            group, size = [], 0
        group.append((name, data, tail))
        last = tail.size
        size += last
    if group:
        yield group


def _begins(name: str, size: int) -> bool:
    """Return whether a fragment begins with a file, whatever is before it.

    That is more likely for a file with a larger end, so that small ends fill their fragments, too.
    """
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return number % SIZE < size
