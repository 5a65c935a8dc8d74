from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.image import tarimage
from quard.image.content import Content
from quard.image.tree import Node


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    data = b"x" * 1000
    shared = Node("file", 0o4755, 7, 8, Content(len(data), data))
    long = "d" * 120
    nodes = {
        "a": shared,
        "b": shared,
        "c": Node("link", 0o777, target="t" * 300),
        "dev": Node("directory", 0o750),
        "dev/con": Node("char", 0o600, device=(5, 1)),
        "dev/vda": Node("block", 0o660, gid=6, device=(254, 3)),
        "dev/pipe": Node("fifo", 0o644),
        f"{long}": Node("directory", 0o755),
        f"{long}/ž": Node("file", 0o644, content=Content(0)),
    }
    tarimage.write(nodes, tmp_path / "t.tar")
    found = tarimage.read(tmp_path / "t.tar")
    assert list(found) == sorted(nodes)
    for path, (node, mtime) in found.items():
        wanted = nodes[path]
        assert mtime == 1
        assert (node.kind, node.mode, node.uid, node.gid) == (
            wanted.kind,
            wanted.mode,
            wanted.uid,
            wanted.gid,
        )
        assert (node.target, node.device) == (wanted.target, wanted.device)
        assert (node.content and node.content.read()) == (wanted.content and wanted.content.read())
    assert found["a"][0] is found["b"][0]


def facts(entries: Mapping[str, tuple[Node, int]]) -> dict[str, list[object]]:
    """Return everything that there is about entries, with the first path of each node."""
    first: dict[Node, str] = {}
    found: dict[str, list[object]] = {}
    for path, (node, mtime) in entries.items():
        values = vars(node) | {"content": node.content and replace(node.content, sha256="")}
        found[path] = [first.setdefault(node, path), mtime, *values.items()]
    return found


def test_what_is_known_of_a_written_file_is_what_is_read_from_it(tmp_path: Path) -> None:
    hole = tmp_path / "hole"
    with hole.open("wb") as file:
        for place, data in ((0, b"begin"), (3 << 20, b"middle")):
            file.seek(place)
            file.write(data)
        file.truncate(5 << 20)
    text = Content(3, b"abc")
    shared = Node("file", 0o4755, 7, 8, text, attributes=(("user.a", b"1"), ("user.b", b"2")))
    nodes = {
        "a": shared,
        "b/c": shared,
        "b": Node("directory", 0o755, attributes=(("user.x", b"\xff"),)),
        "hole": Node("file", 0o644, content=Content(5 << 20, path=hole)),
        "none": Node("file", 0o600, content=Content(0)),
        "link": Node("link", 0o777, target="ž" * 200),
        "con": Node("char", 0o600, device=(5, 1)),
        "pipe": Node("fifo", 0o644, 2**31),
        "ž" * 120: Node("file", 0o644, content=text),
    }
    digests = {node: node.content.digest() for node in nodes.values() if node.content}
    path = tmp_path / "t.tar"
    written = tarimage.write(nodes, path)
    known, read = written.entries(nodes, digests), tarimage.read(path)
    assert facts(known) == facts(read) and [*known] == [*read]
    for name, (node, _) in known.items():
        assert node is not nodes[name] or node.content is None
        if node.content:
            assert node.content.sha256 == hashlib.sha256(node.content.read()).hexdigest()
    assert written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_root_folder_comes_first_with_its_mode_and_owner(tmp_path: Path) -> None:
    tarimage.write({"a": Node("directory", 0o700)}, tmp_path / "t.tar")
    with tarfile.open(tmp_path / "t.tar") as tar:
        first, second = tar.getmembers()
    assert (first.name, first.isdir(), first.mode, first.uid, first.gid) == (".", True, 0o755, 0, 0)
    assert second.name == "a"


def refused(path: Path) -> QuardError:
    with pytest.raises(QuardError) as caught:
        tarimage.read(path)
    assert caught.value.reason == "bad-tar"
    return caught.value


def test_file_that_is_not_there_or_no_tar_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none")
    (tmp_path / "x").write_bytes(b"x" * 5000)
    refused(tmp_path / "x")


def test_tar_cut_within_a_file_is_refused(tmp_path: Path) -> None:
    content = Content(100_000, b"x" * 100_000)
    tarimage.write({"a": Node("file", 0o644, content=content)}, tmp_path / "t.tar")
    data = (tmp_path / "t.tar").read_bytes()
    (tmp_path / "t.tar").write_bytes(data[:5000])
    refused(tmp_path / "t.tar")


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.CONTTYPE])
def test_member_we_never_write_is_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("odd")
    info.type, info.linkname = kind, "nothing"
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.addfile(info, io.BytesIO())
    assert "odd" in refused(tmp_path / "t.tar").detail


def test_leading_dots_and_the_root_itself_are_left_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        for name in ("./", "./a"):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE
            tar.addfile(info)
    assert list(tarimage.read(tmp_path / "t.tar")) == ["a"]


def test_the_digest_of_large_files_is_that_of_the_whole_tar(tmp_path: Path) -> None:
    """A thread computes it, which may be behind the writer."""
    (tmp_path / "large").write_bytes(random.Random(1).randbytes(9_000_001))
    large = Content(9_000_001, path=tmp_path / "large")
    nodes = {f"f{n}": Node("file", 0o644, content=large) for n in range(2)}
    nodes |= {f"s{n:03}": Node("file", 0o644, content=Content(1, b"s")) for n in range(300)}
    written = tarimage.write(nodes, tmp_path / "t.tar")
    assert written.sha256 == hashlib.sha256((tmp_path / "t.tar").read_bytes()).hexdigest()
    with tarfile.open(tmp_path / "t.tar") as tar:
        file = tar.extractfile("f1")
        assert file and file.read() == large.read()
