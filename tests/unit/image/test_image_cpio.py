from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.image import cpio, limits, tarimage
from quard.image.content import Content
from quard.image.kept import Kept
from quard.image.roottar import RootTar
from quard.image.tree import Node

SHARED = Node("file", 0o4755, 3, 4, Content(5, b"hello"))
NODES = {
    "a1": SHARED,
    "a2": SHARED,
    "dev": Node("directory", 0o755),
    "dev/console": Node("char", 0o600, device=(5, 1)),
    "dev/vda": Node("block", 0o660, gid=6, device=(254, 3)),
    "dev/zfifo": Node("fifo", 0o644),
    "empty": Node("file", 0o644, content=Content(0)),
    "sbin": Node("directory", 0o755),
    "sbin/init": Node("link", 0o777, target="../a1"),
    "ž b": Node("file", 0o600, content=Content(3, b"abc")),
}


def made(folder: Path, nodes: dict[str, Node], name: str = "c.gz") -> bytes:
    tarimage.write(nodes, folder / "t.tar")
    cpio.cpio_gz(RootTar(folder / "t.tar"), folder / name)
    return gzip.decompress((folder / name).read_bytes())


def records(data: bytes) -> dict[str, tuple[list[int], bytes]]:
    """Read newc as its specification says: fields of eight digits, parts padded to four."""
    found: dict[str, tuple[list[int], bytes]] = {}
    place = 0
    while "TRAILER!!!" not in found:
        assert data[place : place + 6] == b"070701"
        digits = data[place + 6 : place + 110]
        fields = [int(digits[index : index + 8], 16) for index in range(0, 104, 8)]
        name = data[place + 110 : place + 110 + fields[11]]
        assert name.endswith(b"\0")
        place += 110 + fields[11]
        place += -place % 4
        found[name[:-1].decode()] = fields, data[place : place + fields[6]]
        place += fields[6]
        place += -place % 4
    assert place == len(data)
    return found


def test_an_edit_gives_the_file_of_a_first_build_whatever_else_is_compressed(
    tmp_path: Path,
) -> None:
    """The end of `b` is twice in it. gzip puts two null bytes behind the end. With a file of X in
    its memory, the place where XX follows seems to be repeated for longer, up to the file's end.
    """
    ending = b"abcdefg\0\0XX000001abcdefg\0\0YY000002abcdefg"
    large = {name: Content(1 << 18, text * (1 << 18)) for name, text in (("a", b"X"), ("c", b"Z"))}
    nodes = {**NODES, **{name: Node("file", 0o644, content=c) for name, c in large.items()}}
    text = b"0123456789" * 400 + b"012" + ending
    assert len(text) % 4 == 0, "nothing is behind it in its piece of the archive"
    kept = Kept(tmp_path / "kept")
    for name, data in (("first.gz", b"other"), ("edited.gz", text)):
        nodes["b"] = Node("file", 0o644, content=Content(len(data), data))
        tarimage.write(nodes, tmp_path / "t.tar")
        cpio.cpio_gz(RootTar(tmp_path / "t.tar"), tmp_path / name, kept=kept)
    cpio.cpio_gz(RootTar(tmp_path / "t.tar"), tmp_path / "clean.gz")
    assert (tmp_path / "edited.gz").read_bytes() == (tmp_path / "clean.gz").read_bytes()


def test_every_field_is_as_in_the_tar(tmp_path: Path) -> None:
    found = records(made(tmp_path, NODES))
    assert set(found) == {".", *NODES, "init", "TRAILER!!!"}
    fields, data = found["ž b"]
    assert (fields[1], fields[4:7], data) == (0o100600, [1, 1, 3], b"abc")
    fields, _ = found["dev/console"]
    assert (fields[1], fields[9:11]) == (0o20600, [5, 1])
    fields, _ = found["dev/vda"]
    assert (fields[1], fields[3], fields[9:11]) == (0o60660, 6, [254, 3])
    assert found["dev"][0][1] == 0o40755
    assert found["dev/zfifo"][0][1] == 0o10644
    assert (found["sbin/init"][0][1], found["sbin/init"][1]) == (0o120777, b"../a1")


def test_archive_for_an_init_of_its_own_ends_in_the_mark_of_a_whole_one(tmp_path: Path) -> None:
    own = Node("file", 0o755, content=Content(3, b"#!/"))
    found = records(made(tmp_path, {**NODES, "init": own, "zzz": own}))
    *_, last, trailer = found
    assert (last, trailer) == (cpio.END, "TRAILER!!!")
    assert found[last][1] == b"whole\n"
    assert cpio.END not in records(made(tmp_path, NODES))


def test_root_folder_comes_first_with_its_mode_and_owner(tmp_path: Path) -> None:
    found = records(made(tmp_path, NODES))
    assert next(iter(found)) == "."
    fields, data = found["."]
    assert (fields[1], fields[2:4], data) == (0o40755, [0, 0], b"")


def test_hard_links_share_a_number_and_the_last_has_the_data(tmp_path: Path) -> None:
    found = records(made(tmp_path, NODES))
    (first, nothing), (last, data) = found["a1"], found["a2"]
    assert first[0] == last[0]
    assert first[4] == last[4] == 2
    assert (nothing, data) == (b"", b"hello")
    assert first[1:4] == last[1:4] == [0o104755, 3, 4]
    numbers = [fields[0] for name, (fields, _) in found.items() if name not in ("a1",)]
    assert len(numbers) == len(set(numbers))


def test_another_reader_unpacks_it(tmp_path: Path) -> None:
    data = made(
        tmp_path,
        {name: node for name, node in NODES.items() if "/" not in name}
        | {"dev/console": NODES["dev/console"], "sbin/init": NODES["sbin/init"]},
    )
    out = tmp_path / "out"
    out.mkdir()
    argv = ["busybox", "cpio", "-i", "-d", "a1", "a2", "ž b", "sbin/init", "init"]
    subprocess.run(argv, cwd=out, input=data, check=True, capture_output=True)
    assert (out / "a1").read_bytes() == (out / "a2").read_bytes() == b"hello"
    assert (out / "a1").stat().st_ino == (out / "a2").stat().st_ino
    assert (out / "ž b").read_bytes() == b"abc"
    assert (out / "init").resolve() == (out / "a1").resolve()


def test_own_init_is_kept(tmp_path: Path) -> None:
    found = records(made(tmp_path, NODES | {"init": NODES["empty"]}))
    assert found["init"][0][1] == 0o100644


def test_same_tar_gives_the_same_bytes_whatever_the_file_is_called(tmp_path: Path) -> None:
    made(tmp_path, NODES, "one.gz")
    made(tmp_path, NODES, "two.gz")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


@pytest.mark.parametrize(
    ("gone", "reason"), [("sbin/init", "no-init"), ("dev/console", "no-console")]
)
def test_archive_that_could_not_boot_is_refused(tmp_path: Path, gone: str, reason: str) -> None:
    with pytest.raises(QuardError) as caught:
        made(tmp_path, {name: node for name, node in NODES.items() if name != gone})
    assert caught.value.reason == reason
    assert not (tmp_path / "c.gz").exists()


def test_file_beyond_the_size_field_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.LARGEST, "cpio.gz", 4)
    with pytest.raises(QuardError) as caught:
        made(tmp_path, NODES)
    assert caught.value.reason == "image-too-big"
    assert "/a1" in caught.value.message
