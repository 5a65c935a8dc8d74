from __future__ import annotations

import struct

import pytest

from quard.base.errors import QuardError
from quard.image import ext4_inodes, tarimage
from quard.image.content import Content
from quard.image.ext4_inodes import Inode, device, numbered, seeds, table
from quard.image.tree import Node

FOLDER = Node("directory", 0o755)


def entries(**nodes: Node) -> dict[str, tuple[Node, int]]:
    return {name.replace("_", "/"): (node, tarimage.MTIME) for name, node in nodes.items()}


def file() -> Node:
    return Node("file", 0o644, content=Content(0))


def links(inode: Inode) -> int:
    data = table([inode], seeds([inode], 0))
    assert len(data) == 256
    return int(struct.unpack_from("<H", data, 26)[0])


def test_numbers_follow_the_entries_and_links_share_one() -> None:
    shared = file()
    inodes, folders = numbered(
        entries(a=shared, b=FOLDER, b_c=Node("directory", 0o700), b_d=shared, e=file())
    )
    assert [inode.number for inode in inodes] == [2, 12, 13, 14, 15]
    assert [inode.links for inode in inodes] == [4, 2, 3, 2, 1]
    assert [folder.inode.number for folder in folders] == [2, 13, 14]
    assert [folder.above.number for folder in folders] == [2, 2, 13]
    names = [[(name, inode.number) for name, inode in folder.names] for folder in folders]
    assert names == [
        [(b"lost+found", 11), (b"a", 12), (b"b", 13), (b"e", 15)],
        [(b"c", 14), (b"d", 12)],
        [],
    ]


def test_entry_before_its_folder_is_an_error() -> None:
    with pytest.raises(QuardError) as caught:
        numbered(entries(b_d=file(), b=FOLDER))
    assert caught.value.reason == "bad-tar" and "b/d" in caught.value.detail


def test_folder_with_too_many_folders_counts_one_link_and_a_file_is_refused() -> None:
    assert links(Inode(12, FOLDER, 1, links=65000)) == 65000
    assert links(Inode(12, FOLDER, 1, links=65001)) == 1
    assert links(Inode(12, file(), 1, links=65000)) == 65000
    with pytest.raises(ValueError, match="65001 links"):
        links(Inode(12, file(), 1, links=65001))


@pytest.mark.parametrize(
    ("numbers", "field"),
    [
        ((5, 1), struct.pack("<I", 0x501)),
        ((255, 255), struct.pack("<I", 0xFFFF)),
        ((254, 300), struct.pack("<2I", 0, 0x10FE2C)),
        ((4095, 1048575), struct.pack("<2I", 0, 0xFFFFFFFF)),
    ],
)
def test_devices_are_coded_as_linux_does(numbers: tuple[int, int], field: bytes) -> None:
    assert device(*numbers) == field


@pytest.mark.parametrize("numbers", [(4096, 0), (0, 1 << 20)])
def test_devices_that_linux_does_not_have_are_refused(numbers: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=":"):
        device(*numbers)


def test_numbers_of_owners_that_do_not_fit_are_refused() -> None:
    inode = Inode(12, Node("file", 0o644, uid=1 << 32, content=Content(0)), 1)
    with pytest.raises(struct.error):
        ext4_inodes.table([inode], seeds([inode], 0))
