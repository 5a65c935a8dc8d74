"""Images that are made from known data, without reading it again."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image import tarimage
from quard.image.content import Content
from quard.image.cpio import cpio_gz
from quard.image.kept import Kept
from quard.image.known import NAME, Known
from quard.image.packing import SIZE
from quard.image.roottar import RootTar
from quard.image.squashfs import squashfs
from quard.image.tree import Node

FORMATS = {"rootfs.squashfs": squashfs, "rootfs.cpio.gz": cpio_gz}
NOISE = random.Random(5).randbytes(2 * SIZE + 77)


def nodes(edited: bytes) -> dict[str, Node]:
    """Return a tree that has a file with this content, and others."""
    data = {
        "etc/issue": edited,
        "large": NOISE,
        "sbin/init": NOISE,
        "zeros": bytes(SIZE) + b"x" + bytes(3 * SIZE),
        **{f"small{n}": b"%d" % n * 100 for n in range(50)},
    }
    found = {path: Node("file", 0o644, content=Content(len(d), d)) for path, d in data.items()}
    found |= {folder: Node("directory", 0o755) for folder in ("dev", "etc", "sbin")}
    found |= {"dev/console": Node("char", 0o600, device=(5, 1)), "again": found["small1"]}
    return found


def written(path: Path, edited: bytes) -> RootTar:
    """Write a rootfs.tar and return it with what is known after that."""
    tree = nodes(edited)
    digests = {node: node.content.digest() for node in tree.values() if node.content}
    made = tarimage.write(tree, path)
    return RootTar(path, made.sha256, made.entries(tree, digests))


def made(name: str, tar: RootTar, folder: Path, kept: Path) -> bytes:
    FORMATS[name](tar, folder / name, kept=Kept(kept), made_by="tools")
    return (folder / name).read_bytes()


def read_by(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many bytes of contents are read at a time from now on."""
    sizes: list[int] = []
    for method in ("open", "pieces", "part"):
        plain = getattr(Content, method)

        def noted(content: Content, *args: int, plain: object = plain) -> object:
            sizes.append(args[-1] if args else content.size)
            return plain(content, *args)  # type: ignore[operator]

        monkeypatch.setattr(Content, method, noted)
    return sizes


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_known_is_not_read_and_gives_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kept, tar = tmp_path / "kept", tmp_path / "rootfs.tar"
    made(name, written(tar, b"first"), tmp_path, kept)
    source = written(tar, b"edited")
    with monkeypatch.context() as patched:
        sizes = read_by(patched)
        found = made(name, source, tmp_path, kept)
    assert 6 in sizes and not [size for size in sizes if size > SIZE]
    assert found == made(name, RootTar(tar), tmp_path, tmp_path / "other")
    if name.endswith(".gz"):
        assert b"edited" in gzip.decompress(found)
    with monkeypatch.context() as patched:
        sizes = read_by(patched)
        assert made(name, source, tmp_path, kept) == found
    assert sizes == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("how", parts.DAMAGE)
def test_a_damaged_file_of_what_is_known_is_as_none(tmp_path: Path, name: str, how: str) -> None:
    kept, tar = tmp_path / "kept", tmp_path / "rootfs.tar"
    source = written(tar, b"first")
    found = made(name, source, tmp_path, kept)
    before = (kept / NAME).read_bytes()
    parts.damage(kept / NAME, how)
    assert made(name, source, tmp_path, kept) == found
    assert (kept / NAME).read_bytes() == before


@pytest.mark.parametrize("name", FORMATS)
def test_a_missing_piece_of_known_data_is_made_from_the_bytes(tmp_path: Path, name: str) -> None:
    kept, tar = tmp_path / "kept", tmp_path / "rootfs.tar"
    source = written(tar, b"first")
    found = made(name, source, tmp_path, kept)
    for path in kept.iterdir():
        if path.name != NAME:
            path.unlink()
    assert made(name, source, tmp_path, kept) == found


@pytest.mark.parametrize("name", FORMATS)
def test_no_piece_is_kept_from_bytes_that_are_not_the_known_ones(tmp_path: Path, name: str) -> None:
    kept, tar = tmp_path / "kept", tmp_path / "rootfs.tar"
    source = written(tar, b"first")
    found = made(name, source, tmp_path, kept)
    names = sorted(path.name for path in kept.iterdir())
    for path in kept.iterdir():
        if path.name != NAME:
            path.unlink()
    data = tar.read_bytes()
    assert data.count(NOISE) == 2
    tar.write_bytes(data.replace(NOISE[:1000], bytes(1000)))
    with pytest.raises(QuardError) as caught:
        made(name, source, tmp_path, kept)
    assert caught.value.reason == "changed-while-building"
    tar.write_bytes(data)
    assert made(name, source, tmp_path, kept) == found
    assert sorted(path.name for path in kept.iterdir()) == names


def test_values_of_the_last_image_alone_are_kept(tmp_path: Path) -> None:
    first = Known(tmp_path / NAME, "one")
    first.note("a", [1, "x"])
    first.note("b", [2])
    first.note("", [3])
    first.write()
    second = Known(tmp_path / NAME, "one")
    assert (second.get("a"), second.get("c"), second.get("")) == ([1, "x"], None, None)
    second.write()
    third = Known(tmp_path / NAME, "one")
    assert (third.get("a"), third.get("b")) == ([1, "x"], None)
    third.write()
    assert Known(tmp_path / NAME, "one").get("a") == [1, "x"]


def test_values_of_another_form_are_none(tmp_path: Path) -> None:
    old = Known(tmp_path / NAME, "one")
    old.note("a", [1])
    old.write()
    new = Known(tmp_path / NAME, "two")
    assert new.get("a") is None
    new.note("a", {"x": 1})
    new.write()
    assert Known(tmp_path / NAME, "one").get("a") is None
    assert Known(tmp_path / NAME, "two").get("a") == {"x": 1}


def test_an_image_of_unknown_data_keeps_nothing_that_is_known(tmp_path: Path) -> None:
    source = written(tmp_path / "rootfs.tar", b"first")
    bare = {
        path: (replace(node, content=node.content and replace(node.content, sha256="")), mtime)
        for path, (node, mtime) in source.entries.items()
    }
    made("rootfs.squashfs", RootTar(source.path, source.sha256, bare), tmp_path, tmp_path / "kept")
    assert not (tmp_path / "kept" / NAME).exists()
