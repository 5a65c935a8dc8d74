"""Filled file systems, as e2fsck, dumpe2fs and debugfs see them."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from ext4_parts import by_debugfs, check, commands, made, quoted, stats, tool

from quard.base.errors import QuardError
from quard.image import ext4, ext4_fill, ext4_folders, ext4_inodes, tarimage
from quard.image.content import Content
from quard.image.ext4_groups import Groups
from quard.image.ext4_inodes import Inode
from quard.image.roottar import RootTar
from quard.image.tree import Kind, Node
from quard.process.stop import Stop

BLOCK, MIB = 4096, 1 << 20
CAPABILITY = ("security.capability", b"\1\0\0\2" + bytes(range(16)))
KINDS: tuple[Kind, ...] = ("file", "link", "char", "block", "fifo")


def file(data: bytes, mode: int = 0o644) -> Node:
    return Node("file", mode, content=Content(len(data), data))


def dumped(image: Path, path: str, out: Path) -> bytes:
    tool("debugfs", "-R", f"dump {quoted('/' + path)} {out}", str(image))
    return out.read_bytes()


def empty(folder: Path, nodes: dict[str, Node], size_mib: int = 8) -> tuple[Path, RootTar]:
    """Return an empty file system, and a tar with nodes."""
    ext4.empty(folder / "i.ext4", size_mib=size_mib, label="x")
    tarimage.write(nodes, folder / "t.tar")
    return folder / "i.ext4", RootTar(folder / "t.tar")


def refused(action: Callable[[], object]) -> QuardError:
    with pytest.raises(QuardError) as caught:
        action()
    return caught.value


def random_data(source: random.Random) -> bytes:
    """Return some blocks, of which some are zero, and a rest."""
    blocks = (source.randbytes(BLOCK) if source.random() < 0.7 else bytes(BLOCK) for _ in range(9))
    rest = source.randbytes(source.randrange(BLOCK)) if source.random() < 0.8 else bytes(100)
    return b"".join(list(blocks)[: source.randrange(10)]) + rest


def random_node(source: random.Random) -> Node:
    kind = source.choice((*KINDS, "file", "file", "directory"))
    mode, uid, gid = source.randrange(0o10000), source.choice((0, 7, 70000)), source.randrange(9)
    node = Node(kind, mode, uid, gid)
    if kind == "file":
        data = random_data(source)
        node.content = Content(len(data), data)
    elif kind == "link":
        node.target = "t" * source.choice((1, 59, 60, 61, 700, 4095))
    elif kind in ("char", "block"):
        node.device = source.choice((0, 5, 255, 256, 4095)), source.choice((0, 255, 256, 65535))
    if kind in ("file", "directory") and source.random() < 0.4:
        sizes = source.choice(((3,), (20, 20), (30, 40, 50), (600, 5), (2000, 1900)))
        node.attributes = tuple(
            (f"user.{'n' * (number + 1)}", source.randbytes(size))
            for number, size in enumerate(sizes)
        )
    return node


def random_tree(seed: int) -> dict[str, Node]:
    source = random.Random(seed)
    nodes: dict[str, Node] = {}
    folders = [""]
    for _ in range(150):
        parent = source.choice(folders)
        letters = source.choices("abcž \"'$\u3000", k=source.choice((1, 5, 20, 120)))
        name = f"{parent}{''.join(letters)}x"
        if name in nodes:
            continue
        files = [node for node in nodes.values() if node.kind == "file"]
        linked = files and source.random() < 0.1
        nodes[name] = source.choice(files) if linked else random_node(source)
        if nodes[name].kind == "directory":
            folders.append(f"{name}/")
    return dict(sorted(nodes.items()))


@pytest.mark.parametrize("seed", range(4))
def test_inodes_are_those_that_debugfs_would_make(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = random_tree(seed)
    ours = stats(made(tmp_path, nodes), ["", "lost+found", *nodes])
    for path, node in nodes.items():
        if node.content is not None:
            data = dumped(tmp_path / "i.ext4", path, tmp_path / "back")
            assert data == node.content.data, path
    monkeypatch.setattr(ext4, "fill", by_debugfs)
    theirs = stats(made(tmp_path, nodes), ["", "lost+found", *nodes])
    for path, text in ours.items():
        assert text == theirs[path], path
    assert len(ours) > 100


def test_superblock_differs_from_that_of_debugfs_in_sums_and_bytes_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for fill in (ext4_fill.fill, by_debugfs):
        monkeypatch.setattr(ext4, "fill", fill)
        text = tool("dumpe2fs", str(made(tmp_path, random_tree(9))))
        text = re.sub(r"csum 0x\w+", "csum", re.sub(r"Checksum: +0x\w+", "Checksum", text))
        found.append(re.sub(r"Lifetime writes: .*", "", text))
    assert found[0] == found[1]


@pytest.mark.parametrize("size_mib", [300, 1000])
def test_content_in_several_groups(size_mib: int, tmp_path: Path) -> None:
    piece = b"".join(number.to_bytes(4, "little") * 1024 for number in range(1, 1 + 256))
    for name, size in (("one", 70), ("two", 60)):
        with (tmp_path / name).open("wb") as out:
            for number in range(size):
                out.write(bytes([1 + number]) * 16 + piece[16:])
    nodes = {
        name: Node("file", 0o644, content=Content((tmp_path / name).stat().st_size, path=path))
        for name in ("one", "two")
        for path in [tmp_path / name]
    }
    nodes |= {f"z{number:04}": file(b"small") for number in range(100)}
    image = made(tmp_path, nodes, size_mib)
    (tmp_path / "t.tar").unlink()
    back = tmp_path / "back"
    for name in ("one", "two"):
        tool("debugfs", "-R", f"dump /{name} {back}", str(image))
        tool("cmp", str(back), str(tmp_path / name))
    assert dumped(image, "z0099", back) == b"small"
    first = tool("dumpe2fs", str(image))
    groups = re.split(r"^Group ", first, flags=re.MULTILINE)[1:]
    assert [group.count("BLOCK_UNINIT") for group in groups[:2]] == [0, 0]
    assert first.count("BLOCK_UNINIT") == (4 if size_mib == 1000 else 0)
    copy = tool("dumpe2fs", "-h", "-o", "superblock=32768", "-o", "blocksize=4096", str(image))
    counts = [re.findall(r"Free (?:blocks|inodes): +(\d+)\n", text) for text in (first, copy)]
    assert counts[0] == counts[1] and len(counts[1]) == 2
    with image.open("rb") as opened:
        opened.seek(BLOCK)
        descriptors = opened.read(BLOCK)
        opened.seek(32769 * BLOCK)
        assert opened.read(BLOCK) == descriptors
    for path in (image, back, tmp_path / "one", tmp_path / "two"):
        path.unlink()


def test_inodes_in_several_groups(tmp_path: Path) -> None:
    names = [f"{number:05}" for number in range(7000)]
    names += ["dir", *(f"dir/{name}" for name in names[:6000])]
    folder = Node("directory", 0o755)
    nodes = {name: folder if name == "dir" else file(name.encode()) for name in sorted(names)}
    image = made(tmp_path, nodes, 300)
    assert dumped(image, "dir/05999", tmp_path / "back") == b"dir/05999"
    text = tool("dumpe2fs", str(image))
    groups = re.findall(r"(\d+) free inodes, (\d+) directories(?:, (\d+) unused)?", text)
    total = re.search(r"Inode count: +(\d+)", text)
    assert total and sum(int(free) for free, *_ in groups) == int(total[1]) - 11 - 13001
    assert all(free == (unused or "0") for free, _, unused in groups)
    assert [count for _, count, _ in groups] == ["2", "1", "0"] and groups[0][0] == "0"


def test_file_of_many_runs(tmp_path: Path) -> None:
    data = b"".join(bytes([1 + number % 250]) * BLOCK + bytes(BLOCK) for number in range(2000))
    image = made(tmp_path, {"runs": file(data), "after": file(b"after")})
    text = stats(image, ["runs"])["runs"]
    # 2000 blocks of data, six with extents, and one with these six.
    assert f"Blockcount: {2007 * 8}\n" in text
    assert dumped(image, "runs", tmp_path / "back") == data
    assert dumped(image, "after", tmp_path / "back") == b"after"


def test_file_of_more_than_a_group_with_holes(tmp_path: Path) -> None:
    size = (700 << 20) + 77
    places = (0, 150 * MIB, 500 * MIB + 65536, size - 5)
    with (tmp_path / "sparse").open("wb") as out:
        for place in places:
            out.seek(place)
            out.write(b"data!")
    nodes = {"sparse": Node("file", 0o600, content=Content(size, path=tmp_path / "sparse"))}
    image = made(tmp_path, nodes)
    text = stats(image, ["sparse"])["sparse"]
    assert f"Size: {size}" in text and "Blockcount: 32" in text
    tool("debugfs", "-R", f"dump -p /sparse {tmp_path / 'back'}", str(image))
    with (tmp_path / "back").open("rb") as back:
        for place in places:
            back.seek(place)
            assert back.read(5) == b"data!"
    tool("cmp", str(tmp_path / "back"), str(tmp_path / "sparse"))


def test_large_folder_and_the_longest_names(tmp_path: Path) -> None:
    names = [f"{number:04}{'n' * (number * 7 % 250)}" for number in range(3000)]
    names += ["w" * 255, "ž" * 127 + "w"]
    nodes = {"many": Node("directory", 0o755), **{f"many/{name}": file(b"x") for name in names}}
    image = made(tmp_path, nodes)
    (listed,) = commands(image, ["ls -p /many"])
    assert [line.split("/")[5] for line in listed.splitlines()[3:] if line] == names
    assert stats(image, ["many"])["many"].count("Links: 2") == 1


def test_root_folder_of_several_blocks(tmp_path: Path) -> None:
    nodes = {f"{number:03}{'n' * 240}": Node("directory", 0o755) for number in range(100)}
    text = stats(made(tmp_path, nodes), [""])[""]
    assert "Links: 103 " in text and "Size: 28672" in text and "Blockcount: 56" in text


@pytest.mark.parametrize("length", [1, 59, 60, 61, 4095])
def test_targets_of_links(length: int, tmp_path: Path) -> None:
    target = ("/target-" * 600)[:length]
    image = made(tmp_path, {"link": Node("link", 0o777, target=target)})
    (tmp_path / "out").mkdir()
    tool("debugfs", "-R", f"rdump /link {tmp_path / 'out'}", str(image))
    assert str((tmp_path / "out/link").readlink()) == target
    assert ("EXTENTS" in stats(image, ["link"])["link"]) == (length >= 60)


def test_target_that_is_too_long_is_refused(tmp_path: Path) -> None:
    nodes = {"link": Node("link", 0o777, target="t" * 4096)}
    error = refused(lambda: made(tmp_path, nodes))
    assert error.reason == "bad-tar" and "4096 bytes" in error.detail


def test_full_inode_table(tmp_path: Path) -> None:
    nodes = {f"{number:03}": file(b"") for number in range(501)}
    image, tar = empty(tmp_path, nodes)
    ext4_fill.fill(image, tar, Stop())
    check(image)
    assert "Free inodes:              0\n" in tool("dumpe2fs", "-h", str(image))


def test_more_entries_than_inodes_are_refused(tmp_path: Path) -> None:
    image, tar = empty(tmp_path, {f"{number:03}": file(b"") for number in range(502)})
    error = refused(lambda: ext4_fill.fill(image, tar, Stop()))
    assert error.reason == "image-too-small"
    assert "it has 512 inodes, and 513 are needed" in error.detail


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("pieces", [1, 5])
def test_file_system_is_filled_to_its_last_block(over: int, pieces: int, tmp_path: Path) -> None:
    image, _ = empty(tmp_path, {})
    text = tool("dumpe2fs", "-h", str(image))
    match = re.search(r"Free blocks: +(\d+)", text)
    assert match
    # With a hole between each two pieces; more than four need a block for their tree.
    left = int(match[1]) - (pieces > 4) - (pieces - 1) + over
    data = (b"d" * BLOCK + bytes(BLOCK)) * (pieces - 1) + b"d" * BLOCK * left
    image, tar = empty(tmp_path, {"a": file(data)})
    if over:
        error = refused(lambda: ext4_fill.fill(image, tar, Stop()))
        assert error.reason == "image-too-small" and "no block is left" in error.detail
    else:
        ext4_fill.fill(image, tar, Stop())
        check(image)
        assert "Free blocks:              0\n" in tool("dumpe2fs", "-h", str(image))
        assert dumped(image, "a", tmp_path / "back") == data


def test_smallest_size(tmp_path: Path) -> None:
    image = made(tmp_path, {"a": file(b"a")}, 8)
    assert image.stat().st_size == 8 * MIB
    assert dumped(image, "a", tmp_path / "back") == b"a"


def test_devices_have_the_highest_numbers_of_linux(tmp_path: Path) -> None:
    image = made(tmp_path, {"d": Node("char", 0o600, device=(4095, 1048575))})
    assert "number: 4095:1048575 " in stats(image, ["d"])["d"]


def test_hard_links_in_several_folders_share_an_inode(tmp_path: Path) -> None:
    shared = file(b"shared")
    shared.attributes = (CAPABILITY,)
    nodes = {"d": Node("directory", 0o755), "a": shared, "d/b": shared, "d/c": shared}
    image = made(tmp_path, dict(sorted(nodes.items())))
    texts = stats(image, ["a", "d/b", "d/c"])
    assert len(set(texts.values())) == 1 and "Links: 3 " in texts["a"]


def test_times_beyond_32_bits_are_kept(tmp_path: Path) -> None:
    times = {"a": 1 << 31, "b": (1 << 32) + 5, "c": -1, "d": (1 << 34) - (1 << 31) - 1}
    image, tar = empty(tmp_path, {name: file(b"") for name in times})
    tar._entries = {name: (node, times[name]) for name, (node, _) in tar.entries.items()}
    ext4_fill.fill(image, tar, Stop())
    check(image)
    found = stats(image, times)
    for name, seconds in times.items():
        epoch = (seconds + (1 << 31)) >> 32
        assert f" mtime: 0x{seconds & 0xFFFFFFFF:08x}:{epoch:08x}" in found[name]
    tar._entries = {"a": (file(b""), 1 << 34)}
    image, _ = empty(tmp_path, {})
    assert refused(lambda: ext4_fill.fill(image, tar, Stop())).reason == "bad-tar"


def test_folder_of_the_file_system_itself_is_not_overwritten(tmp_path: Path) -> None:
    error = refused(lambda: made(tmp_path, {"lost+found": Node("directory", 0o755)}))
    assert error.reason == "file-collision"
    assert [path.name for path in tmp_path.iterdir()] == ["t.tar"]


def test_copying_ends_when_the_run_is_stopped(tmp_path: Path) -> None:
    image, tar = empty(tmp_path, {"a": file(b"a")})
    stop = Stop()
    stop.request()
    assert refused(lambda: ext4_fill.fill(image, tar, stop)).reason == "interrupted"


def test_tar_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    image, tar = empty(tmp_path, {"a": file(b"a" * 100_000)})
    assert tar.entries
    with tar.path.open("r+b") as opened:
        opened.truncate(50_000)
    error = refused(lambda: ext4_fill.fill(image, tar, Stop()))
    assert error.reason == "changed-while-building"
    tar.path.unlink()
    error = refused(lambda: ext4_fill.fill(image, tar, Stop()))
    assert error.reason == "changed-while-building"


@pytest.mark.parametrize("features", ["^metadata_csum", "metadata_csum_seed", "bigalloc"])
def test_file_system_with_other_features_is_refused(features: str, tmp_path: Path) -> None:
    image, tar = empty(tmp_path, {"a": file(b"a")})
    argv = ("/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-O", features, str(image))
    subprocess.run(argv, check=True, capture_output=True)
    error = refused(lambda: ext4_fill.fill(image, tar, Stop()))
    assert error.reason == "image-tool" and "other features" in error.detail


def _wrong_inode(monkeypatch: pytest.MonkeyPatch) -> None:
    table = ext4_inodes.table

    def wrong(inodes: Sequence[Inode], begins: bytes) -> bytes:
        found = bytearray(table(inodes, begins))
        found[256 + 124] ^= 1
        return bytes(found)

    monkeypatch.setattr(ext4_inodes, "table", wrong)


def _wrong_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    tail = ext4_folders.tail
    monkeypatch.setattr(ext4_folders, "tail", lambda checksum: tail(checksum ^ 1))


def _wrong_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ext4_inodes, "_links", lambda inode: inode.links + 1)


def _wrong_bitmap(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Groups.write

    def wrong(self: Groups) -> None:
        self.take_one()
        write(self)

    monkeypatch.setattr(Groups, "write", wrong)


def _wrong_count(monkeypatch: pytest.MonkeyPatch) -> None:
    take = Groups.take_inodes
    monkeypatch.setattr(Groups, "take_inodes", lambda self, count, _: take(self, count, [12]))


def _wrong_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = ext4_fill._Filling._begin
    monkeypatch.setattr(ext4_fill._Filling, "_begin", lambda self, inode: begin(self, inode) ^ 1)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_wrong_inode, "passes checks, but checksum does not match inode"),
        (_wrong_folder, "passes checks but fails checksum"),
        (_wrong_links, "ref count is"),
        (_wrong_bitmap, "Block bitmap differences"),
        (_wrong_count, "Directories count wrong"),
        (_wrong_tree, "fails checksum|checksum does not match"),
    ],
)
def test_checker_finds_what_is_wrong(
    spoil: Callable[[pytest.MonkeyPatch], None],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(monkeypatch)
    data = (b"d" * BLOCK + bytes(BLOCK)) * 5
    with pytest.raises(AssertionError, match=words):
        made(tmp_path, {"a": file(data)})


def test_folders_are_before_the_contents(tmp_path: Path) -> None:
    nodes = {"a": file(b"a" * BLOCK), "b": Node("directory", 0o755), "c": file(b"c")}
    image = made(tmp_path, nodes)
    places = [
        int(commands(image, [f"blocks /{name}"])[0].splitlines()[1]) for name in ("b", "a", "c")
    ]
    assert places == [places[0], places[0] + 1, places[0] + 2]
