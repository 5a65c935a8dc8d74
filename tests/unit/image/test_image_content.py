from __future__ import annotations

import gzip
import hashlib
import json
import random
import subprocess
import tarfile
import tracemalloc
from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image import overlay, tarimage
from quard.image.content import Content
from quard.image.cpio import cpio_gz
from quard.image.ext4 import ext4
from quard.image.rootfs import assemble
from quard.image.roottar import RootTar
from quard.image.squashfs import squashfs
from quard.image.tree import Node

MIB = 1 << 20
NOISE = random.Random(1).randbytes(100_000)
SIZE = 64 * MIB + 5
PLACES = {0: b"begin", 20 * MIB - 3: NOISE, 40 * MIB: b"x", SIZE - 3: b"end"}


def sparse(path: Path, size: int = SIZE, places: dict[int, bytes] | None = None) -> Path:
    """Make a file of holes with a few bytes in it."""
    with path.open("wb") as file:
        for place, data in (PLACES if places is None else places).items():
            file.seek(place)
            file.write(data)
        file.truncate(size)
    return path


def plain(path: Path, like: Path) -> Path:
    """Make the same file without holes."""
    path.write_bytes(like.read_bytes())
    assert path.stat().st_blocks * 512 >= path.stat().st_size
    return path


def content(path: Path) -> Content:
    return Content(path.stat().st_size, path=path)


def node(path: Path) -> dict[str, Node]:
    return {"opt": Node("directory", 0o755), "opt/s": Node("file", 0o644, content=content(path))}


@pytest.mark.parametrize("end", [0, 1, 65536, 70000])
@pytest.mark.parametrize("where", [0, 1, 65535, 65536, 3 * MIB])
def test_runs_hold_all_that_is_not_zero(tmp_path: Path, where: int, end: int) -> None:
    size = 5 * MIB + end
    path = sparse(tmp_path / "s", size, {where: b"here"})
    runs = content(path).data_runs
    assert runs is not None
    data, kept = path.read_bytes(), bytearray(size)
    for start, length in runs:
        assert start % 65536 == 0 and length and start + length <= size
        kept[start : start + length] = data[start : start + length]
    assert bytes(kept) == data
    assert sum(length for _, length in runs) <= 2 * 65536


def test_a_file_of_holes_alone_has_no_runs(tmp_path: Path) -> None:
    assert content(sparse(tmp_path / "s", 5 * MIB + 7, {})).data_runs == ()


@pytest.mark.parametrize("size", [0, 5, MIB - 1, MIB])
def test_small_files_are_kept_as_a_whole(tmp_path: Path, size: int) -> None:
    assert content(sparse(tmp_path / "s", size, {})).data_runs is None


def test_a_file_with_little_that_is_zero_is_kept_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"x" * 2 * MIB + bytes(MIB // 2) + b"x")
    assert content(tmp_path / "s").data_runs is None


def test_holes_of_the_build_machines_file_system_decide_nothing(tmp_path: Path) -> None:
    one = sparse(tmp_path / "one")
    two = plain(tmp_path / "two", one)
    assert content(one).data_runs == content(two).data_runs
    first = tarimage.write(node(one), tmp_path / "1.tar")
    assert first.sha256 == tarimage.write(node(two), tmp_path / "2.tar").sha256


def test_part_of_a_file_is_read_as_the_whole_of_another(tmp_path: Path) -> None:
    inside = sparse(tmp_path / "s", 5 * MIB, {MIB: b"here"}).read_bytes()
    (tmp_path / "blob").write_bytes(b"h" * 700 + inside + b"t" * 700)
    part = Content(len(inside), path=tmp_path / "blob", offset=700)
    assert part.read() == inside
    assert part.read(4) == bytes(4)
    assert part.digest() == hashlib.sha256(inside).hexdigest()
    assert part.data_runs == ((MIB, 65536),)


def test_content_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"123")
    with pytest.raises(QuardError) as caught:
        Content(9, path=tmp_path / "blob").read()
    assert caught.value.reason == "changed-while-building"
    assert "blob" in caught.value.message


def test_a_file_that_has_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        Content(9, path=tmp_path / "gone").read()
    assert caught.value.reason == "changed-while-building"


def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(b"x" * 3 * MIB)
    with content(path).open() as file, pytest.raises(QuardError) as caught:
        file.read(10)
        path.write_bytes(b"")
        file.read()
    assert caught.value.reason == "changed-while-building"


def test_file_with_holes_is_read_anywhere(tmp_path: Path) -> None:
    path = sparse(tmp_path / "s")
    data = path.read_bytes()
    tarimage.write(node(path), tmp_path / "t.tar")
    found = tarimage.read(tmp_path / "t.tar")["opt/s"][0].content
    assert found is not None and found.runs
    with found.open() as file:
        for place in (0, 4, 65530, 20 * MIB - 10, 40 * MIB + 1, SIZE - 5, SIZE - 1, SIZE, SIZE + 9):
            file.seek(place)
            assert file.read(100) == data[place : place + 100]
        file.seek(-3, 2)
        assert file.read() == b"end"


@pytest.mark.parametrize("places", [PLACES, {0: b"begin"}, {}], ids=["inside", "at the end", "all"])
def test_tar_with_holes_is_small_and_read_by_all(tmp_path: Path, places: dict[int, bytes]) -> None:
    path = sparse(tmp_path / "s", places=places)
    long = f"{'ž' * 90}/s"
    nodes = node(path) | {
        "s": Node("link", 0o777, target="opt/s"),
        long: Node("file", 0o600, 3, 4, content(path)),
    }
    digest = tarimage.write(nodes, tmp_path / "t.tar").sha256
    data = (tmp_path / "t.tar").read_bytes()
    assert len(data) < MIB
    assert hashlib.sha256(data).hexdigest() == digest
    (tmp_path / "gnu").mkdir()
    subprocess.run(["tar", "-xf", "../t.tar"], cwd=tmp_path / "gnu", check=True)
    with tarfile.open(tmp_path / "t.tar") as tar:
        assert tar.getmember(long).mode == 0o600
        python = tar.extractfile("opt/s")
        assert python and python.read() == path.read_bytes()
    for name in ("opt/s", long, "s"):
        assert (tmp_path / "gnu" / name).read_bytes() == path.read_bytes()
    assert list(tarimage.read(tmp_path / "t.tar")) == sorted(nodes)


def image_nodes(path: Path) -> dict[str, Node]:
    return {
        "dev": Node("directory", 0o755),
        "dev/console": Node("char", 0o600, device=(5, 1)),
        "init": Node("file", 0o755, content=Content(1, b"x")),
        **node(path),
    }


@pytest.mark.parametrize("places", [PLACES, {0: b"begin"}, {}], ids=["inside", "at the end", "all"])
def test_every_image_has_the_file_and_those_that_can_have_holes(
    tmp_path: Path, places: dict[int, bytes]
) -> None:
    path = sparse(tmp_path / "s", places=places)
    tarimage.write(image_nodes(path), tmp_path / "t.tar")

    ext4(RootTar(tmp_path / "t.tar"), tmp_path / "ext4", size_mib=None, label="x")
    assert (tmp_path / "ext4").stat().st_size < 32 * MIB
    argv = ["/usr/sbin/debugfs", "-R", f"dump /opt/s {tmp_path}/back", str(tmp_path / "ext4")]
    subprocess.run(argv, check=True, capture_output=True)
    assert (tmp_path / "back").read_bytes() == path.read_bytes()

    squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "squashfs")
    assert (tmp_path / "squashfs").stat().st_size < MIB
    argv = ["rdsquashfs", "-c", "/opt/s", str(tmp_path / "squashfs")]
    back = subprocess.run(argv, check=True, capture_output=True).stdout
    assert back == path.read_bytes()

    cpio_gz(RootTar(tmp_path / "t.tar"), tmp_path / "cpio.gz")
    unpacked = gzip.decompress((tmp_path / "cpio.gz").read_bytes())
    argv = ["busybox", "cpio", "-i", "--to-stdout", "opt/s"]
    assert subprocess.run(argv, input=unpacked, check=True, capture_output=True).stdout == (
        path.read_bytes()
    )


def test_no_step_holds_a_file_in_memory(tmp_path: Path) -> None:
    (tmp_path / "rootfs/opt").mkdir(parents=True)
    sparse(tmp_path / "rootfs/opt/holes")
    plain(tmp_path / "rootfs/opt/zeros", tmp_path / "rootfs/opt/holes")
    (tmp_path / "rootfs/opt/full").write_bytes(NOISE * 200)
    (tmp_path / "rootfs/init").touch(mode=0o755)
    tar, out = tmp_path / "rootfs.tar", tmp_path / "out"
    tracemalloc.start()
    try:
        found = overlay.scan("rootfs", tmp_path / "rootfs")
        assemble(parts.spec(tmp_path, {}, overlays=(found,)), tar, tmp_path / "manifest.json")
        ext4(RootTar(tar), out, size_mib=None, label="x")
        squashfs(RootTar(tar), out)
        cpio_gz(RootTar(tar), out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for name in ("holes", "zeros", "full"):
        entry = manifest[f"/opt/{name}"]
        data = (tmp_path / "rootfs/opt" / name).read_bytes()
        assert entry["size"] == len(data)
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
