"""rootfs.squashfs, read back by programs of squashfs-tools-ng."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from quard.base.errors import QuardError
from quard.image import tarimage
from quard.image.content import Content
from quard.image.packing import SIZE
from quard.image.roottar import RootTar
from quard.image.squashfs import squashfs
from quard.image.tree import Kind, Node

SHARED = Node("file", 0o4755, 3, 4, Content(5, b"hello"))
NODES = {
    "a1": SHARED,
    "a2": SHARED,
    "dev": Node("directory", 0o750, 5, 6),
    "dev/console": Node("char", 0o600, device=(5, 1)),
    "dev/vda": Node("block", 0o660, gid=6, device=(254, 3)),
    "dev/zfifo": Node("fifo", 0o644),
    "empty": Node("file", 0o644, content=Content(0)),
    "long": Node("link", 0o777, target="t" * 300),
    "tmp": Node("directory", 0o1777),
    "\u00a0\u3000\u200d": Node("link", 0o777, target="a\u00a0b"),
    "ž b": Node("file", 0o600, content=Content(300_000, b"abc" * 100_000)),
}


def facts(tar: Path) -> dict[str, tuple[object, ...]]:
    return {
        path: (
            *(node.kind, node.st_mode, node.uid, node.gid, node.target, node.device, mtime),
            node.content.read() if node.content else None,
        )
        for path, (node, mtime) in tarimage.read(tar).items()
    }


def check(nodes: Mapping[str, Node], folder: Path) -> bytes:
    """Make a file system of nodes, compare what a reader finds in it, and return its bytes."""
    tarimage.write(nodes, folder / "t.tar")
    squashfs(RootTar(folder / "t.tar"), folder / "s")
    with (folder / "back.tar").open("wb") as back:
        subprocess.run(["sqfs2tar", str(folder / "s")], stdout=back, check=True)
    assert facts(folder / "back.tar") == facts(folder / "t.tar")
    found = tarimage.read(folder / "back.tar")
    paths: dict[Node, list[str]] = {}
    for name, node in nodes.items():
        paths.setdefault(node, []).append(name)
    for node, names in paths.items():
        assert node.attributes in [found[name][0].attributes for name in names], names
        assert node.kind != "file" or len({found[name][0] for name in names}) == 1, "one inode"
    return (folder / "s").read_bytes()


def stat(path: str, image: Path) -> str:
    argv = ["rdsquashfs", "--stat", path, str(image)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def file(data: bytes, **fields: Any) -> Node:
    return Node("file", 0o644, content=Content(len(data), data), **fields)


def test_everything_of_the_tar_is_in_it(tmp_path: Path) -> None:
    made = check(NODES, tmp_path)
    assert len(made) % 4096 == 0, "a disk has whole sectors"
    found = tarimage.read(tmp_path / "back.tar")
    assert found["a1"][0] is found["a2"][0]
    assert "Hard link count: 2\n" in stat("/a2", tmp_path / "s")


def test_links_of_a_folder_count_the_folders_in_it(tmp_path: Path) -> None:
    folders = ("a", "a/b", "a/b/c", "a/d", "e")
    check({"a/f": file(b""), **{name: Node("directory", 0o755) for name in folders}}, tmp_path)
    for path, links in (("/", 4), ("/a", 4), ("/a/b", 3), ("/e", 2)):
        assert f"Hard link count: {links}\n" in stat(path, tmp_path / "s"), path


def test_an_image_without_files_is_one(tmp_path: Path) -> None:
    check({}, tmp_path)
    check({"empty": Node("directory", 0o755), "link": Node("link", 0o777, target="x")}, tmp_path)


NOISE = random.Random(1).randbytes(3 * SIZE)
SIZES = (1, SIZE // 2 - 1, SIZE // 2, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE, 3 * SIZE - 1)


@pytest.mark.parametrize("of", ["noise", "text", "zeros"])
def test_files_around_the_size_of_a_block(tmp_path: Path, of: str) -> None:
    data = {"noise": NOISE, "text": b"0123 text " * SIZE, "zeros": bytes(3 * SIZE)}[of]
    made = check({f"f{size}": file(data[:size]) for size in SIZES}, tmp_path)
    assert of != "zeros" or len(made) == 4096, "zeros take no block"


@pytest.mark.parametrize("zero", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
def test_blocks_of_zeros_take_no_room(tmp_path: Path, zero: tuple[int, ...]) -> None:
    blocks = [bytes(SIZE) if n in zero else NOISE[n * SIZE :][:SIZE] for n in range(3)]
    made = check({"f": file(b"".join(blocks)[:-5])}, tmp_path)
    assert len(made) < (3 - len(zero)) * SIZE + 8192


def test_a_file_of_more_than_four_gibibytes(tmp_path: Path) -> None:
    size = (1 << 32) + SIZE + 3
    with (tmp_path / "sparse").open("wb") as out:
        out.write(b"begin")
        out.seek(size - 3)
        out.write(b"end")
    content = Content(size, path=tmp_path / "sparse")
    tarimage.write({"f": Node("file", 0o644, content=content)}, tmp_path / "t.tar")
    squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "s")
    assert (tmp_path / "s").stat().st_size < 2 * SIZE
    text = stat("/f", tmp_path / "s")
    assert f"File size: {size}\n" in text
    assert text.count(" size: 0 ") == size // SIZE - 1


def test_equal_files_are_stored_once(tmp_path: Path) -> None:
    one = check({"a": file(NOISE)}, tmp_path)
    three = check({"a": file(NOISE), "b": file(NOISE, uid=7), "c": file(NOISE)}, tmp_path)
    assert len(three) == len(one)
    check({"a": file(NOISE[:9]), "b": file(NOISE[:9], gid=7), "c": file(NOISE[:8])}, tmp_path)


def test_names_are_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    names = ["a", "a-b", "a.b", "a b", "ab", "b", "B", "~", "\u00a0", "\u017e", "\U0001f600"]
    nodes = {name: Node("directory", 0o755) for name in names}
    nodes |= {f"{folder}/{name}": file(b"x") for folder in names for name in names}
    check(nodes, tmp_path)
    listed = [path for path in tarimage.read(tmp_path / "back.tar") if path.startswith("a/")]
    assert listed == [f"a/{name}" for name in sorted(names, key=str.encode)]


@pytest.mark.parametrize("count", [255, 256, 257, 5000])
def test_a_folder_of_many_entries(tmp_path: Path, count: int) -> None:
    nodes = {"d": Node("directory", 0o755), "e": file(b"behind")}
    nodes |= {f"d/name {number:060}": file(b"%d" % number) for number in range(count)}
    check(nodes, tmp_path)
    listing = int(stat("/d", tmp_path / "s").partition("Listing size: ")[2].split()[0])
    assert (listing > 0xFFFF) == (count == 5000), "it needs an extended inode"


def test_many_ids_and_sets_of_attributes(tmp_path: Path) -> None:
    nodes = {
        f"f{n:04}": file(b"x", uid=n, gid=2**32 - 2 - n, attributes=(("user.n", b"%d" % n),))
        for n in range(1200)
    }
    check(nodes, tmp_path)


@pytest.mark.parametrize("kind", ["char", "block"])
def test_devices_have_large_numbers(tmp_path: Path, kind: Kind) -> None:
    devices = [(0, 0), (1, 255), (4, 256), (255, 65536), (4095, 2**20 - 1)]
    check({f"{d}": Node(kind, 0o600, device=d) for d in devices}, tmp_path)


def trees(numbers: range) -> Iterator[dict[str, Node]]:
    """Yield trees of random nodes, always the same ones."""
    for number in numbers:
        chance = random.Random(number)
        nodes: dict[str, Node] = {}
        folders = [""]
        for index in range(chance.choice((1, 30, 400))):
            name = "".join(chance.choices("aZ0-. \u017e", k=chance.randint(1, 30))) + f"{index}"
            ids: Any = {
                "uid": chance.choice((0, 0, 7, 2**31)),
                "gid": chance.choice((0, 0, 2**32 - 2)),
            }
            match chance.choices(("file", "directory", "link", "fifo", "hard"), (60, 9, 9, 5, 9))[
                0
            ]:
                case "file":
                    size = chance.choice((0, 9, 999, 40_000, SIZE // 2, SIZE, SIZE + 9, 2 * SIZE))
                    text = chance.choice((NOISE[:size], bytes(size), (name.encode() * size)[:size]))
                    values = chance.choice(((), (), (("user.a", b""),), (("user.b", NOISE[:99]),)))
                    node = file(text, attributes=values, **ids)
                case "directory":
                    node = Node("directory", 0o2750, **ids)
                case "link":
                    node = Node("link", 0o777, target=name * chance.randint(1, 9), **ids)
                case "fifo":
                    node = Node("fifo", 0o600, **ids)
                case _:
                    files = [n for n in nodes.values() if n.kind == "file"]
                    node = chance.choice(files) if files else file(b"first")
            parent = chance.choice(folders)
            nodes[f"{parent}{name}"] = node
            if node.kind == "directory":
                folders.append(f"{parent}{name}/")
        yield nodes


@pytest.mark.parametrize("numbers", [range(0, 10), range(10, 20)])
def test_random_trees_are_read_back(tmp_path: Path, numbers: range) -> None:
    for nodes in trees(numbers):
        check(nodes, tmp_path)


def test_a_path_whose_folder_is_missing_is_refused(tmp_path: Path) -> None:
    tarimage.write({"a/b": Node("fifo", 0o600)}, tmp_path / "t.tar")
    with pytest.raises(QuardError) as caught:
        squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "s")
    assert caught.value.reason == "bad-tar"
    assert [path.name for path in tmp_path.iterdir()] == ["t.tar"]


def test_root_belongs_to_root_whoever_builds(tmp_path: Path) -> None:
    tarimage.write(NODES, tmp_path / "t.tar")
    squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "s")
    argv = ["rdsquashfs", "--stat", "/", str(tmp_path / "s")]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "Access: 0755" in text
    assert "UID: 0 " in text and "GID: 0 " in text


def test_same_tar_gives_the_same_bytes_at_another_time_and_place(tmp_path: Path) -> None:
    tarimage.write(NODES, tmp_path / "t.tar")
    squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "one")
    time.sleep(1.1)  # its superblock counts seconds
    squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "deep" / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "deep" / "two").read_bytes()
