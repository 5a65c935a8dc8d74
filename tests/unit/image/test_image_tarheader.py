"""The headers of rootfs.tar, compared with those of Python's tarfile."""

from __future__ import annotations

import random
import tarfile
from pathlib import Path

import pytest

from quard.image import tarimage
from quard.image.content import Content
from quard.image.tarheader import MTIME, TYPES, header
from quard.image.tree import Kind, Node

PATHS = ("a", "a" * 99, "a" * 100, "a" * 101, "d/" * 49 + "ef", "ž", "a b", "\udcff", "a\n" * 20)
NUMBERS = (0, 1, 8**7 - 1, 8**7, 2**31)
SIZES = (0, 1, 511, 512, 8**11 - 1, 8**11, 2**40)


def of_tarfile(name: str, node: Node, size: int = 0, first: str = "") -> bytes:
    """Return what tarfile writes for a member without attributes."""
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime, info.size = TYPES[node.kind], node.mode, MTIME, size
    info.uid, info.gid = node.uid, node.gid
    info.linkname = node.target
    if first:
        info.type, info.linkname = tarfile.LNKTYPE, first
    info.devmajor, info.devminor = node.device
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", TYPES)
def test_headers_of_names_are_those_of_tarfile(path: str, kind: Kind) -> None:
    for target in PATHS if kind == "link" else ("",):
        node = Node(kind, 0o4751, 1, 2, target=target)
        assert header(path, node) == of_tarfile(path, node)
    if kind == "file":
        for first in PATHS:
            assert header(path, node, first=first) == of_tarfile(path, node, first=first)


@pytest.mark.parametrize("number", NUMBERS)
def test_headers_of_numbers_are_those_of_tarfile(number: int) -> None:
    for node in (Node("file", 0o600, number, 0), Node("directory", 0o7777, 0, number)):
        assert header("x", node) == of_tarfile("x", node)
    device = Node("char", 0o600, device=(5, number))
    if number < 8**7:
        assert header("x", device) == of_tarfile("x", device)
    else:
        with pytest.raises(ValueError):
            header("x", device)


@pytest.mark.parametrize("size", SIZES)
def test_headers_of_sizes_are_those_of_tarfile(size: int) -> None:
    node = Node("file", 0o644)
    assert header("x", node, size) == of_tarfile("x", node, size)


def drawn(number: int) -> dict[str, Node]:
    """Return random nodes."""
    draw = random.Random(number)
    found: dict[str, Node] = {}
    for index in range(60):
        name = f"{index:02}" + draw.choice(PATHS)
        kind = draw.choice([*TYPES])
        data = draw.randbytes(draw.choice((0, 1, 511, 512, 513, 300_000)))
        node = Node(kind, draw.randrange(0o10000), draw.choice(NUMBERS), draw.choice(NUMBERS))
        if kind == "file":
            node.content = Content(len(data), data)
            if draw.random() < 0.3:
                found[name + "-again"] = node
        elif kind == "link":
            node.target = draw.choice(PATHS)
        elif kind in ("char", "block"):
            node.device = draw.randrange(300), draw.randrange(300)
        found[name] = node
    return found


@pytest.mark.parametrize("number", range(8))
def test_random_trees_are_written_as_by_tarfile(tmp_path: Path, number: int) -> None:
    nodes = drawn(number)
    first: dict[Node, str] = {}
    with tarfile.open(tmp_path / "wanted.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.fileobj.write(of_tarfile(".", Node("directory", 0o755)))
        tar.offset += tarfile.BLOCKSIZE
        for name, node in sorted(nodes.items()):
            data = node.content.read() if node.content and node not in first else b""
            headers = of_tarfile(name, node, len(data), first.get(node, ""))
            if node.content:
                first.setdefault(node, name)
            whole = headers + data + bytes(-len(data) % tarfile.BLOCKSIZE)
            tar.fileobj.write(whole)
            tar.offset += len(whole)
    tarimage.write(nodes, tmp_path / "t.tar")
    assert (tmp_path / "t.tar").read_bytes() == (tmp_path / "wanted.tar").read_bytes()
    with tarfile.open(tmp_path / "t.tar") as tar:
        assert len(tar.getmembers()) == len(nodes) + 1
