from __future__ import annotations

import subprocess
import time
from pathlib import Path

from quard.image import tarimage
from quard.image.content import Content
from quard.image.squashfs import squashfs
from quard.image.tree import Node

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


def test_everything_of_the_tar_is_in_it(tmp_path: Path) -> None:
    tarimage.write(NODES, tmp_path / "t.tar")
    squashfs(tmp_path / "t.tar", tmp_path / "s")
    with (tmp_path / "back.tar").open("wb") as back:
        subprocess.run(["sqfs2tar", str(tmp_path / "s")], stdout=back, check=True)
    assert facts(tmp_path / "back.tar") == facts(tmp_path / "t.tar")
    found = tarimage.read(tmp_path / "back.tar")
    assert found["a1"][0] is found["a2"][0]


def test_root_belongs_to_root_whoever_builds(tmp_path: Path) -> None:
    tarimage.write(NODES, tmp_path / "t.tar")
    squashfs(tmp_path / "t.tar", tmp_path / "s")
    argv = ["rdsquashfs", "--stat", "/", str(tmp_path / "s")]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "Access: 0755" in text
    assert "UID: 0 " in text and "GID: 0 " in text


def test_same_tar_gives_the_same_bytes_at_another_time_and_place(tmp_path: Path) -> None:
    tarimage.write(NODES, tmp_path / "t.tar")
    squashfs(tmp_path / "t.tar", tmp_path / "one")
    time.sleep(1.1)  # its superblock counts seconds
    squashfs(tmp_path / "t.tar", tmp_path / "deep" / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "deep" / "two").read_bytes()
