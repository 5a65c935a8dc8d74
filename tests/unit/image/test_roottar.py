"""rootfs.tar as the source of several file systems."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quard.base.files import file_sha256
from quard.image import tarimage
from quard.image.content import Content
from quard.image.ext4 import ext4
from quard.image.roottar import RootTar
from quard.image.tree import Node


def tar(folder: Path) -> tuple[Path, str]:
    """Make a rootfs.tar, and return it with its digest."""
    path = folder / "rootfs.tar"
    nodes = {
        "etc": Node("directory", 0o755),
        "etc/a": Node("file", 0o644, content=Content(1, b"a")),
    }
    return path, tarimage.write(nodes, path).sha256


def test_all_who_ask_get_the_same_entries(tmp_path: Path) -> None:
    path, _ = tar(tmp_path)
    source = RootTar(path)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: source.entries, range(16)))
    assert list(found[0]) == ["etc", "etc/a"]
    assert all(each is found[0] for each in found)
    path.unlink()  # what was read stays
    assert source.entries is found[0]


def test_entries_that_are_known_are_not_read(tmp_path: Path) -> None:
    path, sha256 = tar(tmp_path)
    entries = RootTar(path).entries
    path.unlink()
    assert RootTar(path, sha256, entries).entries is entries


def test_the_digest_that_is_known_is_the_one_that_would_be_computed(tmp_path: Path) -> None:
    path, sha256 = tar(tmp_path)
    assert RootTar(path).sha256 == sha256 == file_sha256(path)
    for name, source in {"known": RootTar(path, sha256), "computed": RootTar(path)}.items():
        ext4(source, tmp_path / name, size_mib=None, label="rootfs")
    assert (tmp_path / "known").read_bytes() == (tmp_path / "computed").read_bytes()
